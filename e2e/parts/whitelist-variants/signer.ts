/** Signed in the right shape by someone who must not be believed, or whose revocation says so. */
import * as x509 from '@peculiar/x509';
import type { Pki } from '../pki.ts';
import { row } from './document.ts';
import { forge, type Signer } from './forge.ts';
import { crlOf, issuerOf, make, type Made, type Subject } from './laboratory.ts';
import type { Trust, Variant } from './variant.ts';

const day = 86_400_000;
const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;

/** @param list unsigned. @param good the signer who is believed */
export async function badSigners(list: string, pki: Pki, good: Signer): Promise<readonly Variant[]> {
  const { root, organisations, foreign } = pki;
  const issuer = { ...organisations, above: [der(root.certificate)] };
  const by = (name: string, reason: string, signer: Signer, trust?: Partial<Trust>, dssPasses?: string): Variant => ({
    ...row(name, reason, forge({ list, signer }), dssPasses),
    ...(trust === undefined ? {} : { trust }),
  });
  const issued = async (subject: Subject): Promise<Made> => await make(issuer, subject);
  const now = Date.now();
  const authority = async (subject: Subject): Promise<Made> =>
    await make({ ...root }, { commonName: 'AC', authority: 0, ...subject });
  const crls = async (...more: readonly Buffer[]): Promise<readonly Buffer[]> => [await crlOf(root), ...more];
  const noList = { requireRevocation: false, crls: [] };
  const revoked = await issued({ serial: '00f1000001' });
  const delta = new x509.Extension('2.5.29.27', true, new Uint8Array([2, 1, 1]));
  const usersOnly = new x509.Extension('2.5.29.28', true, new Uint8Array([0x30, 3, 0x81, 1, 0xff]));
  const unknown = new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0]));
  const policyOfDss = 'DSS asks only that the chain be trusted: whose signature it must be is ours to say';
  const limited = await authority({ authority: 0 });
  const beyond = await make(issuerOf(limited), { commonName: 'AC2', authority: 0 });
  const leafAuthority = await issued({ commonName: 'db1.a.example' });
  const falseAuthority = await issued({ commonName: 'AC3', usage: x509.KeyUsageFlags.keyCertSign });
  const weakAuthority = await authority({ key: 1024 });
  const endedAuthority = await authority({ notBefore: new Date(now - 9 * day), notAfter: new Date(now - day) });
  const noCrlSign = await authority({ usage: x509.KeyUsageFlags.keyCertSign });
  return [
    by('signed by an unknown root', 'UntrustedChain', await make({ ...foreign })),
    by('self-signed in the name of the signer', 'UntrustedChain', await make('itself')),
    by("the signer's issuer not in the list", 'UntrustedChain', {
      ...good,
      certificates: good.certificates.slice(0, 1),
    }),
    by('a root that is not the list’s', 'UntrustedChain', good, { anchors: [der(foreign.certificate)] }),
    by(
      'an issuer of the right name and another key',
      'UntrustedChain',
      await make({ certificate: organisations.certificate, keys: foreign.keys, above: [der(root.certificate)] }),
    ),
    by('signed by another, the signer’s certificate shown', 'SignatureForged', {
      ...good,
      keyPem: (await issued({})).keyPem,
    }),
    by('no anchor at all', 'AnchorsUnreadable', good, { anchors: [Buffer.from('none')] }),
    by('an anchor that is damaged', 'AnchorsUnreadable', good, { anchors: [der(root.certificate).subarray(0, 200)] }),
    by(
      'the signer of production on the list of tests',
      'SignerName',
      await issued({ commonName: 'Liste Blanche DRIM-M PROD' }),
      undefined,
      policyOfDss,
    ),
    by(
      'the name of the signer in another case',
      'SignerName',
      await issued({ commonName: 'liste blanche drim-m' }),
      undefined,
      policyOfDss,
    ),
    by(
      'the name of the signer and more',
      'SignerName',
      await issued({ commonName: 'Liste Blanche DRIM-M, OU=318751275100020' }),
      undefined,
      policyOfDss,
    ),
    by(
      'another structure',
      'SignerName',
      await issued({ organizationalUnit: '318751275100021' }),
      undefined,
      policyOfDss,
    ),
    by(
      'the certificate of a DRIMbox',
      'SignerName',
      await issued({ commonName: 'db1.a.example', organizationalUnit: '1750000001' }),
      undefined,
      policyOfDss,
    ),
    by(
      'an expired signer',
      'Expired',
      await issued({ notBefore: new Date(now - 9 * day), notAfter: new Date(now - day) }),
    ),
    by('a signer not valid yet', 'NotYetValid', await issued({ notBefore: new Date(now + day) })),
    by('a list looked at after its signer ended', 'Expired', good, { at: new Date(now + 400 * day), ...noList }),
    by('RSA 1024', 'WeakKey', await issued({ key: 1024 })),
    by(
      'a certificate for encryption',
      'KeyUsage',
      await issued({ usage: keyEncipherment }),
      undefined,
      'DSS’s default policy only warns about the key usage',
    ),
    by(
      'a certificate for TLS alone',
      'KeyUsage',
      await issued({
        usage: digitalSignature,
        extended: [x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth],
      }),
      undefined,
      'DSS’s default policy asks nothing of the extended key usage',
    ),
    by('a certificate signed with SHA-1', 'WeakCertificate', await issued({ hash: 'SHA-1' })),
    by(
      'a critical extension nobody knows',
      'CriticalExtension',
      await issued({ extensions: [unknown] }),
      undefined,
      'DSS’s default policy lists no extension',
    ),
    by('an issuer with RSA 1024', 'WeakCertificate', await make(issuerOf(weakAuthority)), { requireRevocation: false }),
    by('an expired issuer', 'Expired', await make(issuerOf(endedAuthority)), { requireRevocation: false }),
    by('issued by another DRIMbox', 'UntrustedChain', await make(issuerOf(leafAuthority))),
    by('an issuer that is no authority', 'NotAnAuthority', await make(issuerOf(falseAuthority)), {
      requireRevocation: false,
    }),
    by('an authority too many', 'NotAnAuthority', await make(issuerOf(beyond)), { requireRevocation: false }),
    by('a revoked signer', 'Revoked', revoked, {
      crls: await crls(await crlOf(organisations, { revoked: [revoked.certificate.serialNumber] })),
    }),
    by('a revoked signer, the CRL in PEM', 'Revoked', revoked, {
      crls: await crls(pem(await crlOf(organisations, { revoked: [revoked.certificate.serialNumber] }))),
    }),
    by('a revoked signer, an older CRL beside', 'Revoked', revoked, {
      crls: await crls(
        await crlOf(organisations, { thisUpdate: new Date(now - day) }),
        await crlOf(organisations, { revoked: [revoked.certificate.serialNumber] }),
      ),
    }),
    by('a revoked signer, revocation not required', 'Revoked', revoked, {
      requireRevocation: false,
      crls: await crls(await crlOf(organisations, { revoked: [revoked.certificate.serialNumber] })),
    }),
    by('a revoked issuer', 'Revoked', good, {
      crls: [await crlOf(root, { revoked: [organisations.certificate.serialNumber] }), await crlOf(organisations)],
    }),
    by('no CRL', 'CrlMissing', good, { crls: [] }),
    by('no CRL of the root', 'CrlMissing', good, { crls: [await crlOf(organisations)] }),
    by('an expired CRL', 'CrlExpired', good, {
      crls: await crls(
        await crlOf(organisations, { thisUpdate: new Date(now - 9 * day), nextUpdate: new Date(now - day) }),
      ),
    }),
    by(
      'a CRL not valid yet',
      'CrlNotYetValid',
      good,
      {
        crls: await crls(await crlOf(organisations, { thisUpdate: new Date(now + day) })),
      },
      'DSS does not mind a CRL that starts later than the time of validation',
    ),
    by('a CRL signed by another', 'CrlForged', good, {
      crls: await crls(await crlOf(foreign, { inNameOf: organisations.certificate })),
    }),
    by('a CRL of changes alone', 'CrlPartial', good, {
      crls: await crls(await crlOf(organisations, { extensions: [delta] })),
    }),
    by('a CRL of users alone, for an authority', 'CrlPartial', good, {
      crls: [await crlOf(root, { extensions: [usersOnly] }), await crlOf(organisations)],
    }),
    by('a CRL by an authority that must not sign any', 'CrlForged', await make(issuerOf(noCrlSign)), {
      crls: await crls(await crlOf(issuerOf(noCrlSign))),
    }),
    by('a CRL that is damaged', 'AnchorsUnreadable', good, { crls: [Buffer.from([0x30, 1, 2])] }),
  ];
}

function der({ rawData }: x509.X509Certificate): Buffer {
  return Buffer.from(rawData);
}

function pem(bytes: Buffer): Buffer {
  return Buffer.from(
    `-----BEGIN X509 CRL-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`,
  );
}
