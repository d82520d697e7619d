/** Plans of any size, with certificates on P-256 so that thousands are made in seconds. */
import * as x509 from '../../common/pki/x509.ts';
import type { ClientTrust, IngressHost, IngressPlan, TlsIdentity } from '../plan/ingress-plan.ts';
import { emptyInternalState, internalBundle, renewInternal } from '../trust/internal-authority.ts';

x509.cryptoProvider.set(crypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const ingressName = 'ingress.internal';
const gatewayName = 'gateway.internal';

export interface ScalePki {
  identity(fqdn: string): Promise<TlsIdentity>;
  plan(pairs: number): Promise<IngressPlan>;
  /** The same authority with another CRL. */
  trust(): Promise<ClientTrust>;
}

/** db and vi of one link, of a site of its own gateway port. */
export async function pairOf(pki: Pick<ScalePki, 'identity'>, index: number): Promise<readonly IngressHost[]> {
  const common = {
    link: `scale/pacs-${index}`,
    site: `scale/site-${index}`,
    upstream: { host: '127.0.0.1', port: 20_000 + index, serverName: gatewayName },
    limits: { maxConnections: 100, maxRequests: 100 },
  };
  const [db, vi] = [`db-${index}.scale.example`, `vi-${index}.scale.example`];
  return [
    { kind: 'db', fqdn: db, identity: await pki.identity(db), trust: 'scale', ...common },
    { kind: 'vi', fqdn: vi, identity: await pki.identity(vi), probeCidrs: ['127.0.0.2/32'], ...common },
  ];
}

export async function createScalePki(): Promise<ScalePki> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=AC SYNTHETIQUE',
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const identity = async (fqdn: string): Promise<TlsIdentity> => await issue(fqdn, authority, keys.privateKey);
  const made = { crls: 0 };
  const trust = async (): Promise<ClientTrust> => await trustOf(authority, keys.privateKey, (made.crls += 1));
  return {
    identity,
    trust,
    async plan(pairs) {
      const hosts: IngressHost[] = [];
      for (let index = 0; index < pairs; index++) hosts.push(...(await pairOf({ identity }, index)));
      const state = await renewInternal(emptyInternalState, [ingressName], new Date());
      const own = state.leaves[ingressName];
      if (own === undefined) throw new Error('no internal certificate');
      return {
        hosts: hosts.toSorted((a, b) => (a.fqdn < b.fqdn ? -1 : 1)),
        trusts: [await trust()],
        internal: {
          identity: { name: 'internal/ingress', ...own },
          serverName: ingressName,
          caPem: internalBundle(state),
        },
      };
    },
  };
}

async function issue(fqdn: string, authority: x509.X509Certificate, signingKey: CryptoKey): Promise<TlsIdentity> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${fqdn}`,
    issuer: authority.subject,
    notAfter: new Date(Date.now() + 86_400_000),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: fqdn }]),
    ],
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    name: `scale/${fqdn}`,
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  };
}

async function trustOf(authority: x509.X509Certificate, signingKey: CryptoKey, number: number): Promise<ClientTrust> {
  const crl = await x509.X509CrlGenerator.create({
    issuer: authority.subject,
    thisUpdate: new Date(Date.now() - 60_000),
    nextUpdate: new Date(Date.now() + 86_400_000),
    entries: [{ serialNumber: (1000 + number).toString(16), revocationDate: new Date(Date.now() - 60_000) }],
    signingAlgorithm: algorithm,
    signingKey,
  });
  return { name: 'scale', anchorsPem: `${authority.toString('pem')}\n`, crlsPem: `${crl.toString('pem')}\n` };
}
