/** A certificate and its private key, checked to belong together. */
import { createHash, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { SignatureAlgorithms } from './algorithms.ts';

export interface SigningKey {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

/**
 * @param certificatePem leaf first; what follows is not used. @param keyPem unencrypted PKCS#8 or PKCS#1.
 * @throws Error when either can't be read, when they don't belong together, or when the key is not RSA.
 */
export function readSigningKey(certificatePem: string | Buffer, keyPem: string | Buffer): SigningKey {
  const certificate = new X509Certificate(certificatePem);
  const privateKey = createPrivateKey(keyPem);
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error(`the key is not that of the certificate ${distinguishedName(certificate.subject)}`);
  if (privateKey.asymmetricKeyType !== 'rsa')
    throw new Error(`the key of ${distinguishedName(certificate.subject)} is not RSA: IGC-Sante issues RSA`);
  return { certificate, privateKey };
}

/** Node's one line per RDN to RFC 4514: most specific first, `CN=…, OU=…, O=…, ST=…, C=FR` (ci-sis §6.4). */
export function distinguishedName(name: string, separator = ', '): string {
  return name.split('\n').toReversed().join(separator);
}

export function digestOf(bytes: Uint8Array, algorithms: SignatureAlgorithms): string {
  return createHash(algorithms.digest.node).update(bytes).digest('base64');
}

export function signatureOf(bytes: Uint8Array, key: SigningKey, algorithms: SignatureAlgorithms): string {
  return sign(algorithms.signature.node, bytes, key.privateKey).toString('base64');
}
