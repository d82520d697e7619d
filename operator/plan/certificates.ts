import { type Verdict, bad, good, unknown } from './condition.ts';
import { coversName } from './dns-name.ts';
import type { IdentityMaterial, Observations, Resolved } from './observations.ts';

const day = 86_400_000;
/** Days before the end at which it is told, each more pressing; IGC-Sante takes days to issue the next one. */
const warnings = [1, 7, 14, 30] as const;

/** The condition's reason, the nearest limit below which `leftMs` is; undefined while there is time. Pure. */
export function expiryWarning(leftMs: number): string | undefined {
  const days = warnings.find((limit) => leftMs <= limit * day);
  return days === undefined ? undefined : `ExpiresIn${days}Day${days === 1 ? '' : 's'}`;
}

export interface WantedCertificate {
  /** `NAMESPACE/SECRET`. */
  readonly secret: string;
  /** DNS name it must carry; absent for client certificates. */
  readonly name?: string;
  /** Key in `servers` of the observations, of a certificate judged for one name. */
  readonly server?: string;
  /** End of the one that is in service, which may be a former one; RFC 3339. */
  readonly servedUntil?: string;
}

export interface CertificatesOutcome {
  readonly verdict: Verdict;
  /** RFC 3339, the earliest of those that could be read. */
  readonly expiry?: string;
}

/** One condition for all the certificates of a resource; the worst decides. */
export function certificatesVerdict(wanted: readonly WantedCertificate[], seen: Observations): CertificatesOutcome {
  const verdicts = wanted.map((one) => verdictOf(one, seen));
  const expiries = wanted.flatMap((one) => {
    const found = identityOf(one, seen);
    return (found?.ok === true ? found.notAfter : one.servedUntil) ?? [];
  });
  const [expiry] = expiries.toSorted();
  const verdict =
    verdicts.find(({ status }) => status === 'False') ??
    verdicts.find(({ status }) => status === 'Unknown') ??
    warnings.map((days) => verdicts.find(({ reason }) => reason === expiryWarning(days * day))).find(isPresent) ??
    good('CertificatesReady', 'Valid');
  return { verdict, ...(expiry === undefined ? {} : { expiry }) };
}

function isPresent(verdict: Verdict | undefined): verdict is Verdict {
  return verdict !== undefined;
}

function identityOf({ secret, server }: WantedCertificate, seen: Observations): Resolved<IdentityMaterial> | undefined {
  return (server === undefined ? undefined : seen.servers?.get(server)) ?? seen.identities.get(secret);
}

function verdictOf(wanted: WantedCertificate, seen: Observations): Verdict {
  const { secret, name, servedUntil } = wanted;
  const type = 'CertificatesReady';
  const found = identityOf(wanted, seen);
  if (found === undefined) return unknown(type, 'NotObserved', `Secret ${secret}: not looked at yet`);
  if (!found.ok)
    return bad(
      type,
      found.reason,
      `Secret ${secret}: ${found.message}${servedUntil === undefined ? '' : `; the last good one stays in service, until ${servedUntil}`}`,
    );
  const left = Date.parse(found.notAfter) - seen.now.getTime();
  if (left <= 0)
    return bad(type, 'Expired', `Secret ${secret}: the certificate ended at ${found.notAfter}; replace it`);
  if (name !== undefined && !found.names.some((candidate) => coversName(candidate, name)))
    return bad(
      type,
      'WrongName',
      `Secret ${secret}: the certificate is not for ${name} but for ${found.names.join(', ')}`,
    );
  const warning = expiryWarning(left);
  if (warning !== undefined)
    return good(type, warning, `Secret ${secret}: ends at ${found.notAfter}; ask for the next one now`);
  return good(type, 'Valid');
}
