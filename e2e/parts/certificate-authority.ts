/** The portal of an authority: signs a request (RFC 2986) as it was made, subject, names and key. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Authority } from './pki.ts';

export interface Window {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/**
 * @returns PEM of the certificate, without its chain
 * @throws Error when the request is not signed by its own key
 */
export async function signRequest(csrPem: string, authority: Authority, window: Window = {}): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(csrPem);
  if (!(await request.verify())) throw new Error('the request is not signed by its own key');
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subject,
    issuer: authority.certificate.subject,
    notBefore: window.notBefore ?? new Date(Date.now() - 60_000),
    notAfter: window.notAfter ?? new Date(Date.now() + 86_400_000),
    signingAlgorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    publicKey: request.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...request.extensions,
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}
