/** From a certificate to an anchor, each link checked: names, signatures, dates, CA rights, revocation (DB.SO.111, DB.CS.151). */
import type { X509Certificate } from 'node:crypto';
import * as x509 from './x509.ts';
import { isIssuedBy, isSame, isValidAt, keyUsage, nameValues, parsed, rsaBits } from './certificates.ts';
import { coversAll, crlsInNameOf, isCrlOf } from './crl.ts';

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
  | 'WeakCertificate'
  | 'CriticalExtension'
  | 'Revoked'
  | 'CrlMissing'
  | 'CrlExpired'
  | 'CrlNotYetValid'
  | 'CrlForged'
  | 'CrlPartial';

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
  const notCa = chain.slice(1).find((certificate, below) => !mayIssue(certificate, below));
  if (notCa)
    return fault(
      'NotAnAuthority',
      `${label(notCa)}: not allowed to issue this chain (basicConstraints, path length, keyCertSign)`,
    );
  const weak = chain.map(weakness).find((found) => found !== undefined);
  if (weak) return weak;
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

/** @param below authorities between this one and the leaf */
function mayIssue(certificate: X509Certificate, below: number): boolean {
  const usage = keyUsage(certificate);
  const limit = parsed(certificate).getExtension(x509.BasicConstraintsExtension)?.pathLength;
  return (
    certificate.ca &&
    (limit === undefined || below <= limit) &&
    (usage === undefined || (usage & x509.KeyUsageFlags.keyCertSign) !== 0)
  );
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

/** A list in the issuer's name that the issuer did not sign is an attack or a damage: without a true one, never passed over. */
async function revokedBy(
  certificate: X509Certificate,
  issuer: X509Certificate,
  policy: ChainPolicy,
): Promise<'good' | 'no list' | ChainVerdict> {
  const named = crlsInNameOf(issuer, policy.crls);
  if (named.length === 0) return 'no list';
  const signed: x509.X509Crl[] = [];
  for (const crl of named) if (await isCrlOf(crl, issuer)) signed.push(crl);
  if (signed.length === 0) return fault('CrlForged', `the CRL named ${label(issuer)} is not signed by it`);
  const [newest] = signed
    .filter((crl) => coversAll(crl, certificate.ca))
    .toSorted((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
  if (newest === undefined)
    return fault('CrlPartial', `the CRL of ${label(issuer)} holds only changes, or other certificates than this one`);
  if (newest.thisUpdate > policy.at)
    return fault('CrlNotYetValid', `the CRL of ${label(issuer)} starts ${newest.thisUpdate.toISOString()}`);
  const revoked = newest.findRevoked(certificate.serialNumber.toLowerCase());
  if (revoked && revoked.revocationDate <= policy.at)
    return fault('Revoked', `${label(certificate)}: revoked ${revoked.revocationDate.toISOString()}`);
  if (newest.nextUpdate === undefined || newest.nextUpdate < policy.at)
    return fault(
      'CrlExpired',
      `the CRL of ${label(issuer)} ended ${newest.nextUpdate?.toISOString() ?? 'as it began'}`,
    );
  return 'good';
}

/** Extensions this module acts on, or that only narrow a purpose the caller looks at. */
const understood: ReadonlySet<string> = new Set([
  '2.5.29.15', // keyUsage
  '2.5.29.19', // basicConstraints
  '2.5.29.37', // extKeyUsage
  '2.5.29.17', // subjectAltName
  '2.5.29.32', // certificatePolicies
]);

/** RSA below 2048, a broken hash (an anchor's own signature proves nothing and is not looked at), RFC 5280 §4.2 critical. */
function weakness(
  certificate: X509Certificate,
  index: number,
  chain: readonly X509Certificate[],
): ChainVerdict | undefined {
  const bits = rsaBits(certificate);
  if (bits !== undefined && bits < 2048) return fault('WeakCertificate', `${label(certificate)}: RSA ${bits}`);
  if (index === chain.length - 1) return undefined;
  const { signatureAlgorithm, extensions } = parsed(certificate);
  const hash = signatureAlgorithm.hash.name;
  if (!/^SHA-?(256|384|512)$/i.test(hash))
    return fault('WeakCertificate', `${label(certificate)}: signed with ${hash || 'an unknown hash'}`);
  const unknown = extensions.find(({ critical, type }) => critical && !understood.has(type));
  if (unknown) return fault('CriticalExtension', `${label(certificate)}: critical extension ${unknown.type}`);
  return undefined;
}

function label(certificate: X509Certificate): string {
  return nameValues(certificate, 'subject', 'CN')[0] ?? certificate.subject.replaceAll('\n', ', ');
}

function fault(reason: ChainFault, detail: string): Extract<ChainVerdict, { readonly ok: false }> {
  return { ok: false, reason, detail };
}
