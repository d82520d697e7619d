import { type Verdict, bad, good, unknown } from './condition.ts';
import type { Observations } from './observations.ts';

/** Time to ask for a new certificate: IGC-Sante takes days to issue one. */
const soonMs = 30 * 86_400_000;

export interface WantedCertificate {
  /** `NAMESPACE/SECRET`. */
  readonly secret: string;
  /** DNS name it must carry; absent for client certificates. */
  readonly name?: string;
}

export interface CertificatesOutcome {
  readonly verdict: Verdict;
  /** RFC 3339, the earliest of those that could be read. */
  readonly expiry?: string;
}

/** One condition for all the certificates of a resource; the worst decides. */
export function certificatesVerdict(wanted: readonly WantedCertificate[], seen: Observations): CertificatesOutcome {
  const verdicts = wanted.map((one) => verdictOf(one, seen));
  const expiries = wanted.flatMap(({ secret }) => {
    const found = seen.identities.get(secret);
    return found?.ok === true ? [found.notAfter] : [];
  });
  const [expiry] = expiries.toSorted();
  const verdict =
    verdicts.find(({ status }) => status === 'False') ??
    verdicts.find(({ status }) => status === 'Unknown') ??
    verdicts.find(({ reason }) => reason === 'ExpiringSoon') ??
    good('CertificatesReady', 'Valid');
  return { verdict, ...(expiry === undefined ? {} : { expiry }) };
}

function verdictOf({ secret, name }: WantedCertificate, seen: Observations): Verdict {
  const type = 'CertificatesReady';
  const found = seen.identities.get(secret);
  if (found === undefined) return unknown(type, 'NotObserved', `Secret ${secret}: not looked at yet`);
  if (!found.ok) return bad(type, found.reason, `Secret ${secret}: ${found.message}`);
  const left = Date.parse(found.notAfter) - seen.now.getTime();
  if (left <= 0)
    return bad(type, 'Expired', `Secret ${secret}: the certificate ended at ${found.notAfter}; replace it`);
  if (name !== undefined && !found.names.some((candidate) => matches(candidate, name)))
    return bad(
      type,
      'WrongName',
      `Secret ${secret}: the certificate is not for ${name} but for ${found.names.join(', ')}`,
    );
  if (left < soonMs)
    return good(type, 'ExpiringSoon', `Secret ${secret}: ends at ${found.notAfter}; ask for the next one now`);
  return good(type, 'Valid');
}

/** RFC 6125: a star stands for one whole leftmost label. */
function matches(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}
