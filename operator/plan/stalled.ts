/** `Stalled` (kstatus): whoever waits for a resource may stop waiting, only a person can go on from here. Pure. */
import type { Verdict } from './condition.ts';

/** Conditions that speak of what a person gave. */
const given: ReadonlySet<string> = new Set(['Accepted', 'CertificatesReady', 'AnchorsResolved', 'IngressProgrammed']);

/** These pass by themselves, or with something that may still arrive: the rest of the same apply, a Secret that another program writes. */
const awaited: ReadonlySet<string> = new Set([
  'SiteNotFound',
  'TrustSpaceNotFound',
  'NoPacsLink',
  'RisWithoutPacs',
  'PacsLinkNotFound',
  'SecretNotFound',
  'ConfigMapNotFound',
  'CredentialsNotFound',
  'DatabaseTrustNotFound',
  'NotYetValid',
  'NotServed',
  'NoProxyConnected',
  'NoProxy',
  'ProxyDown',
]);

/** Absent while there is hope: its polarity is negative, so it stands only where it is True. */
export function stalled(verdicts: readonly Verdict[]): readonly Verdict[] {
  const cause = verdicts.find(
    ({ type, status, reason }) => status === 'False' && given.has(type) && !awaited.has(reason),
  );
  return cause === undefined
    ? []
    : [{ type: 'Stalled', status: 'True', reason: cause.reason, message: `${cause.type}: ${cause.message}` }];
}
