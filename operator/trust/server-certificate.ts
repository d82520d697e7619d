/**
 * A server certificate before it is used: a chain of checks, the first that is violated decides (DB.SO.90, DB.SO.111). Pure but
 * for the signatures; the key was matched before (material.ts).
 */
import type { X509Certificate } from 'node:crypto';
import {
  extendedKeyUsage,
  isIssuedBy,
  isValidAt,
  keyUsage,
  nameValues,
  readCertificates,
} from '../../common/pki/certificates.ts';
import { type ChainFault, verifyChain } from '../../common/pki/chain.ts';
import * as x509 from '../../common/pki/x509.ts';
import type { Refusal } from '../plan/acceptance.ts';
import { coversName } from '../plan/dns-name.ts';

export type ServerKind = 'db' | 'vi';

export interface ServerPolicy {
  readonly kind: ServerKind;
  /** Lower case. */
  readonly fqdn: string;
  readonly at: Date;
  /** Of the TrustSpace; `db` alone is judged by them, a browser's anchors are not known here. */
  readonly anchors: readonly X509Certificate[];
  /** Those in hand, maybe none. */
  readonly crls: readonly x509.X509Crl[];
}

/** What was given, leaf first, then its chain. */
export interface GivenCertificate {
  /** PEM. */
  readonly certificatePem: string;
  /** DNS names of the leaf, lower case. */
  readonly names: readonly string[];
}

interface Subject extends GivenCertificate {
  readonly leaf: X509Certificate;
  readonly chain: readonly X509Certificate[];
}

type Check = (subject: Subject, policy: ServerPolicy) => Refusal | undefined | Promise<Refusal | undefined>;

const checks: readonly Check[] = [dates, name, key, extendedUsage, usage, order, organisation, path];

/** @returns undefined when it may be used, else why not and what to do */
export async function judgeServerCertificate(
  given: GivenCertificate,
  policy: ServerPolicy,
): Promise<Refusal | undefined> {
  const chain = readCertificates(Buffer.from(given.certificatePem));
  const [leaf] = chain;
  if (leaf === undefined) return { reason: 'CertificateUnreadable', message: 'holds no certificate' };
  for (const check of checks) {
    const refusal = await check({ ...given, leaf, chain }, policy);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function dates({ chain }: Subject, { at }: ServerPolicy): Refusal | undefined {
  for (const one of chain) {
    const validity = isValidAt(one, at);
    if (validity === 'expired')
      return { reason: 'Expired', message: `${label(one)} ended at ${one.validToDate.toISOString()}; replace it` };
    if (validity === 'not yet valid')
      return {
        reason: 'NotYetValid',
        message: `${label(one)} starts at ${one.validFromDate.toISOString()}; give it then, or correct the clock`,
      };
  }
  return undefined;
}

function name({ names }: Subject, { fqdn }: ServerPolicy): Refusal | undefined {
  if (names.some((candidate) => coversName(candidate, fqdn))) return undefined;
  return {
    reason: 'WrongName',
    message: `the certificate is not for ${fqdn} but for ${names.join(', ') || 'no name'}`,
  };
}

const smallestModulus = 2048;
/** Beyond 33 bits BoringSSL takes no exponent. */
const largestExponent = 2n ** 33n - 1n;
const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * What no proxy takes, and Ed25519, which no browser takes. Said here and not by a proxy: one that met such a certificate in a new
 * listener would refuse the CRLs of its trust while that drains.
 */
function key({ leaf }: Subject): Refusal | undefined {
  const { asymmetricKeyType: algorithm = 'unknown', asymmetricKeyDetails: details = {} } = leaf.publicKey;
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = details;
  if (algorithm === 'ec' && curves.has(namedCurve)) return undefined;
  if (algorithm === 'rsa' && modulusLength >= smallestModulus && publicExponent <= largestExponent) return undefined;
  const what =
    algorithm === 'rsa' ? `RSA of ${modulusLength} bits, exponent ${publicExponent}` : (namedCurve ?? algorithm);
  return {
    reason: 'KeyNotSupported',
    message: `the key of the certificate (${what}) is not one that TLS is served with; make one of RSA with ${smallestModulus} bits or more, or EC P-256, P-384 or P-521`,
  };
}

/** RFC 5280 §4.2.1.12: without the extension any purpose is allowed. */
function extendedUsage({ leaf }: Subject): Refusal | undefined {
  const usages = extendedKeyUsage(leaf);
  if (usages.length === 0 || usages.includes(x509.ExtendedKeyUsage.serverAuth)) return undefined;
  return {
    reason: 'NotForServers',
    message: 'the certificate is not for servers (extended key usage without serverAuth); ask for a SERV_SSL one',
  };
}

/** Every suite of TLS 1.3, and ECDHE before it, signs with the server's key (RFC 8446 §4.4.2.2). */
function usage({ leaf }: Subject): Refusal | undefined {
  const bits = keyUsage(leaf);
  if (bits === undefined || (bits & x509.KeyUsageFlags.digitalSignature) !== 0) return undefined;
  return { reason: 'NotForSigning', message: 'the key usage of the certificate has no digitalSignature; TLS needs it' };
}

/** RFC 8446 §4.4.2: each certificate should certify the one before; some clients build no other path. */
function order({ chain }: Subject): Refusal | undefined {
  for (const [index, one] of chain.entries()) {
    const next = chain[index + 1];
    if (next !== undefined && !isIssuedBy(one, next))
      return {
        reason: 'ChainOutOfOrder',
        message: `${label(next)} did not issue ${label(one)}; put the leaf first, then each issuer in order`,
      };
  }
  return undefined;
}

/** DB.SO.90: the viewer's is validated at least for an organisation, which only such a certificate names. */
function organisation({ leaf }: Subject, { kind }: ServerPolicy): Refusal | undefined {
  if (kind === 'db' || nameValues(leaf, 'subject', 'O').length > 0) return undefined;
  return {
    reason: 'NotOrganisationValidated',
    message: 'the certificate names no organisation (O); the viewer needs at least an OV one (DB.SO.90)',
  };
}

/**
 * Faults of the lists and not of the certificate: they stand in CrlFresh of the TrustSpace, where the proxy then refuses every
 * caller. A certificate that replaces another is not refused for them.
 */
const faultsOfLists: ReadonlySet<ChainFault> = new Set([
  'CrlMissing',
  'CrlExpired',
  'CrlNotYetValid',
  'CrlForged',
  'CrlPartial',
]);

async function path({ leaf, chain }: Subject, policy: ServerPolicy): Promise<Refusal | undefined> {
  if (policy.kind === 'vi') return undefined;
  const { anchors, crls, at } = policy;
  const verdict = await verifyChain(leaf, {
    anchors,
    crls,
    at,
    intermediates: chain.slice(1),
    requireRevocation: false,
  });
  if (verdict.ok || faultsOfLists.has(verdict.reason)) return undefined;
  return { reason: verdict.reason, message: verdict.detail };
}

function label(certificate: X509Certificate): string {
  return nameValues(certificate, 'subject', 'CN')[0] ?? certificate.subject.replaceAll('\n', ', ');
}
