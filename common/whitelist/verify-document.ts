/** The whole verification, in the order that lets nothing be read before it is known to be signed (DB.CS.151, ci-sis §10.4). */
import { createHash, X509Certificate } from 'node:crypto';
import { ExtendedKeyUsage, KeyUsageFlags } from '../pki/x509.ts';
import { ParseOption, XmlDocument } from 'libxml2-wasm';
import {
  extendedKeyUsage,
  isSame,
  keyUsage,
  nameValues,
  PkiFault,
  readCertificates,
  readCrls,
  rsaBits,
} from '../pki/certificates.ts';
import { verifyChain } from '../pki/chain.ts';
import { readDomains } from './domains.ts';
import { verifyByLibxml2 } from './engine-libxml2.ts';
import { verifyByXadesjs } from './engine-xadesjs.ts';
import { passGate, type SignatureParts } from './gate.ts';
import { Refusal } from './reasons.ts';
import { type WhitelistPolicy, type WhitelistVerdict, largestListBytes } from './whitelist.ts';

export async function verifyDocument(bytes: Uint8Array, policy: WhitelistPolicy): Promise<WhitelistVerdict> {
  try {
    return await accept(bytes, policy);
  } catch (error) {
    if (error instanceof Refusal) return { accepted: false, reason: error.reason, detail: error.message };
    throw error;
  }
}

async function accept(bytes: Uint8Array, policy: WhitelistPolicy): Promise<WhitelistVerdict> {
  const text = decode(bytes);
  const document = parse(bytes);
  try {
    const parts = passGate(document);
    checkSigningTime(parts.signingTime, policy.at);
    const signer = signerOf(parts);
    checkKey(signer);
    const canonical = verifyByLibxml2(document, parts, signer);
    checkSigner(signer, policy);
    const revocation = await checkChain(signer, parts, policy);
    // the slow engine only works on what a believed signer made
    await agree(text, parts, signer);
    const { generatedAt, domains } = readDomains(canonical, policy.at);
    return {
      accepted: true,
      whitelist: {
        generatedAt,
        signedAt: parts.signingTime,
        signer: {
          commonName: nameValues(signer, 'subject', 'CN')[0] ?? '',
          organizationalUnit: nameValues(signer, 'subject', 'OU')[0] ?? '',
          issuer: signer.issuer.replaceAll('\n', ', '),
          serial: signer.serialNumber.toLowerCase(),
          notAfter: signer.validToDate.toISOString(),
        },
        revocation,
        domains,
      },
    };
  } finally {
    document.dispose();
  }
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > largestListBytes)
    throw new Refusal('TooLarge', `${bytes.length} bytes; at most ${largestListBytes} are read`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Refusal('NotUtf8', `the list must be UTF-8: ${error instanceof Error ? error.message : String(error)}`);
  }
  // without it, a parser that guesses would take the bytes for UTF-16
  if (text.includes('\0')) throw new Refusal('NotUtf8', 'a NUL character: UTF-16 or not a text');
  const encoding = /\bencoding\s*=\s*["']([^"']+)["']/.exec(declarationOf(text))?.[1];
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8')
    throw new Refusal('NotUtf8', `the XML declaration says ${encoding}; UTF-8 is expected`);
  // before any parser: entities of a DOCTYPE can cost memory or name files
  if (/<!DOCTYPE/i.test(text))
    throw new Refusal('DocumentType', 'a DOCTYPE is never needed here and can redefine what is read');
  return text;
}

/** The XML declaration, however long. */
function declarationOf(text: string): string {
  return text.startsWith('<?xml') ? text.slice(0, Math.max(0, text.indexOf('?>'))) : '';
}

function parse(bytes: Uint8Array): XmlDocument {
  try {
    return XmlDocument.fromBuffer(bytes, { option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE });
  } catch (error) {
    throw new Refusal('NotWellFormed', error instanceof Error ? error.message.trim() : String(error));
  }
}

/** The certificate of KeyInfo that the signed properties name by digest. */
function signerOf(parts: SignatureParts): X509Certificate {
  const { algorithm, value } = parts.signingCertificate;
  const der = parts.certificates.find((certificate) =>
    createHash(algorithm).update(certificate).digest().equals(value),
  );
  if (!der)
    throw new Refusal(
      'SigningCertificateDiffers',
      'no certificate of KeyInfo is the one that SigningCertificate names',
    );
  return readable(der);
}

function readable(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new Refusal(
      'CertificateUnreadable',
      `a certificate of KeyInfo can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function agree(text: string, parts: SignatureParts, signer: X509Certificate): Promise<void> {
  const hash = parts.signatureMethod.replace('RSA-SHA', 'SHA-');
  let verified: boolean;
  try {
    verified = await verifyByXadesjs(text, signer, hash);
  } catch (error) {
    throw new Refusal('EnginesDisagree', `the second engine can't read it: ${messageOf(error)}`);
  }
  if (!verified) throw new Refusal('EnginesDisagree', 'libxml2 accepts the signature, xadesjs does not');
}

/** xml-core throws objects with a message that are no Error. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

/** Clocks differ and lists are signed ahead of publication; a day more is a mistake or a trick. */
const aheadMs = 86_400_000;

function checkSigningTime(text: string, at: Date): void {
  const time = Date.parse(text);
  if (Number.isNaN(time) || !/^\d{4}-\d\d-\d\dT/.test(text))
    throw new Refusal('SigningTime', `SigningTime '${text}' is not an ISO 8601 time`);
  if (time > at.getTime() + aheadMs) throw new Refusal('SigningTime', `signed ${text}, which has not come yet`);
}

function checkSigner(signer: X509Certificate, policy: WhitelistPolicy): void {
  const names = nameValues(signer, 'subject', 'CN');
  const units = nameValues(signer, 'subject', 'OU');
  if (!names.includes(policy.signer.commonName) || !units.includes(policy.signer.organizationalUnit))
    throw new Refusal(
      'SignerName',
      `signed by CN=${names.join(' + ')}, OU=${units.join(' + ')}; CN=${policy.signer.commonName}, OU=${policy.signer.organizationalUnit} is expected`,
    );
  const usage = keyUsage(signer);
  if (usage !== undefined && (usage & (KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation)) === 0)
    throw new Refusal('KeyUsage', 'the signing certificate is not for signatures (digitalSignature or nonRepudiation)');
  const extended = extendedKeyUsage(signer);
  if (extended.length > 0 && extended.every((use) => tlsOnly.has(use)))
    throw new Refusal('KeyUsage', 'the signing certificate is for TLS alone (extended key usage)');
}

const tlsOnly: ReadonlySet<string> = new Set([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]);

/** Before any use of it: Node would verify an ECDSA signature under the name of RSA. */
function checkKey(signer: X509Certificate): void {
  const bits = rsaBits(signer);
  if (bits === undefined || bits < 2048)
    throw new Refusal(
      'WeakKey',
      `the signer's key is ${bits === undefined ? 'not RSA' : `RSA ${bits}`}; RSA 2048 or more is expected`,
    );
}

async function checkChain(
  signer: X509Certificate,
  parts: SignatureParts,
  policy: WhitelistPolicy,
): Promise<'good' | 'not checked'> {
  const material = readPolicy(policy);
  const others = parts.certificates.map(readable).filter((certificate) => !isSame(certificate, signer));
  const verdict = await verifyChain(signer, {
    ...material,
    intermediates: others,
    requireRevocation: policy.requireRevocation,
    at: policy.at,
  });
  if (!verdict.ok) throw new Refusal(verdict.reason, verdict.detail);
  return verdict.revocation;
}

function readPolicy(policy: WhitelistPolicy): {
  anchors: readonly X509Certificate[];
  crls: ReturnType<typeof readCrls>;
} {
  try {
    return { anchors: policy.anchors.flatMap(readCertificates), crls: policy.crls.flatMap(readCrls) };
  } catch (error) {
    if (error instanceof PkiFault) throw new Refusal('AnchorsUnreadable', error.message);
    throw error;
  }
}
