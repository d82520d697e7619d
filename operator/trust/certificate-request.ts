/** A new key with its request for a certificate (RFC 2986), for the PFC portal of IGC-Sante or a market authority. */
import * as x509 from '../../common/pki/x509.ts';

x509.cryptoProvider.set(crypto);

/** What IGC-Sante signs. */
const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};

export interface CertificateRequest {
  readonly keyPem: string;
  readonly csrPem: string;
  /** RFC 3339. */
  readonly requestedAt: string;
}

export interface RequestSubject {
  /** CN and only DNS name. */
  readonly fqdn: string;
  readonly organisation: string;
  /** Struct_IdNat, in OU as IGC-Sante has it. */
  readonly structureId: string;
}

export async function makeRequest(subject: RequestSubject, now: Date): Promise<CertificateRequest> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [
      { C: ['FR'] },
      // X.520 upper bounds: 64 characters each; the authority writes its own values anyway
      { O: [subject.organisation.slice(0, 64)] },
      { OU: [subject.structureId.slice(0, 64)] },
      ...(subject.fqdn.length <= 64 ? [{ CN: [subject.fqdn] }] : []),
    ],
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: subject.fqdn }]),
    ],
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    keyPem: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
    csrPem: `${request.toString('pem')}\n`,
    requestedAt: now.toISOString(),
  };
}
