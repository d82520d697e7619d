/** From a certificate to an anchor, each link checked: names, signatures, dates, CA rights, revocation (DB.SO.111, DB.CS.151). */
import type { X509Certificate } from 'node:crypto';
import * as x509 from './x509.ts';
import { isIssuedBy, isSame, isValidAt, keyUsage, nameValues } from './certificates.ts';

export interface ChainPolicy {
  readonly anchors: readonly X509Certificate[];
  /** Certificates that may stand between: never believed by themselves. */
  readonly intermediates: readonly X509Certificate[];
  readonly crls: readonly x509.X509Crl[];
  /** Every certificate below the anchor must be covered by a fresh CRL. */
  readonly requireRevocation: boolean;
  readonly at: Date;
}

export type ChainFault =
  | 'UntrustedChain'
  | 'Expired'
  | 'NotYetValid'
  | 'NotAnAuthority'
  | 'Revoked'
  | 'CrlMissing'
  | 'CrlExpired'
  | 'CrlNotYetValid'
  | 'CrlForged';

export type ChainVerdict =
  /** Leaf first, anchor last. */
  | { readonly ok: true; readonly chain: readonly X509Certificate[]; readonly revocation: 'good' | 'not checked' }
  | { readonly ok: false; readonly reason: ChainFault; readonly detail: string };

/** Longest chain looked at: leaf, two intermediates, root is what IGC-Sante has. */
const longestChain = 6;

export async function verifyChain(leaf: X509Certificate, policy: ChainPolicy): Promise<ChainVerdict> {
  const chain = buildChain([leaf], policy);
  if (!chain)
    return fault(
      'UntrustedChain',
      `${label(leaf)}: no path to an anchor; its issuer is ${leaf.issuer.replaceAll('\n', ', ')}`,
    );
  const dates = chain.map((certificate) => dateFault(certificate, policy.at)).find((found) => found !== undefined);
  if (dates) return dates;
  const notCa = chain.slice(1).find((certificate) => !mayIssue(certificate));
  if (notCa)
    return fault(
      'NotAnAuthority',
      `${label(notCa)}: not allowed to issue certificates (basicConstraints, keyCertSign)`,
    );
  return await revocation(chain, policy);
}

function buildChain(path: readonly X509Certificate[], policy: ChainPolicy): readonly X509Certificate[] | undefined {
  const last = path.at(-1);
  if (last === undefined || path.length > longestChain) return undefined;
  if (policy.anchors.some((anchor) => isSame(anchor, last))) return path;
  const anchor = policy.anchors.find((candidate) => isIssuedBy(last, candidate));
  if (anchor) return [...path, anchor];
  for (const candidate of policy.intermediates) {
    if (path.some((seen) => isSame(seen, candidate)) || !isIssuedBy(last, candidate)) continue;
    const found = buildChain([...path, candidate], policy);
    if (found) return found;
  }
  return undefined;
}

function dateFault(certificate: X509Certificate, at: Date): ChainVerdict | undefined {
  const validity = isValidAt(certificate, at);
  if (validity === 'expired')
    return fault('Expired', `${label(certificate)}: ended ${certificate.validToDate.toISOString()}`);
  if (validity === 'not yet valid')
    return fault('NotYetValid', `${label(certificate)}: starts ${certificate.validFromDate.toISOString()}`);
  return undefined;
}

function mayIssue(certificate: X509Certificate): boolean {
  const usage = keyUsage(certificate);
  return certificate.ca && (usage === undefined || (usage & x509.KeyUsageFlags.keyCertSign) !== 0);
}

async function revocation(chain: readonly X509Certificate[], policy: ChainPolicy): Promise<ChainVerdict> {
  let checked = true;
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer === undefined) break;
    const outcome = await revokedBy(certificate, issuer, policy);
    if (outcome === 'good') continue;
    if (outcome === 'no list') {
      if (policy.requireRevocation)
        return fault('CrlMissing', `${label(certificate)}: no CRL of ${label(issuer)} was given`);
      checked = false;
      continue;
    }
    return outcome;
  }
  return { ok: true, chain, revocation: checked && chain.length > 1 ? 'good' : 'not checked' };
}

/** A list in the issuer's name that the issuer did not sign is an attack or a damage: never passed over. */
async function revokedBy(
  certificate: X509Certificate,
  issuer: X509Certificate,
  policy: ChainPolicy,
): Promise<'good' | 'no list' | ChainVerdict> {
  const issuerName = new x509.X509Certificate(issuer.raw).subjectName.toString();
  const named = policy.crls.filter((crl) => crl.issuerName.toString() === issuerName);
  const [newest] = named.toSorted((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
  if (newest === undefined) return 'no list';
  const publicKey = await new x509.X509Certificate(issuer.raw).publicKey.export();
  if (!(await newest.verify({ publicKey })))
    return fault('CrlForged', `the CRL named ${label(issuer)} is not signed by it`);
  if (newest.thisUpdate > policy.at)
    return fault('CrlNotYetValid', `the CRL of ${label(issuer)} starts ${newest.thisUpdate.toISOString()}`);
  const revoked = newest.findRevoked(certificate.serialNumber.toLowerCase());
  if (revoked && revoked.revocationDate <= policy.at)
    return fault('Revoked', `${label(certificate)}: revoked ${revoked.revocationDate.toISOString()}`);
  if (newest.nextUpdate !== undefined && newest.nextUpdate < policy.at)
    return fault('CrlExpired', `the CRL of ${label(issuer)} ended ${newest.nextUpdate.toISOString()}`);
  return 'good';
}

function label(certificate: X509Certificate): string {
  return nameValues(certificate, 'subject', 'CN')[0] ?? certificate.subject.replaceAll('\n', ', ');
}

function fault(reason: ChainFault, detail: string): Extract<ChainVerdict, { readonly ok: false }> {
  return { ok: false, reason, detail };
}
