/**
 * A whitelist as ANS signs it (XAdES baseline-B, XPath Filter 2.0, exclusive canonicalization, SigningCertificateV2), and the server
 * that publishes it with CRLs. Written from the specification alone: nothing of the product's verifier is used.
 */
import { createHash, createSign, X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { XmlC14NMode, XmlDocument } from 'libxml2-wasm';
import type { Issued, Pki } from './pki.ts';
import { type Place, loopback } from './place.ts';
import { endOf } from './server-end.ts';

export interface ListedDomain {
  readonly db: string;
  readonly vi: string;
  readonly commonName: string;
  readonly organizationalUnit: string;
}

export interface WhitelistSpec {
  readonly domains: readonly ListedDomain[];
  /** kind SIGN. */
  readonly signer: Issued;
  readonly pki: Pki;
  readonly generatedAt?: Date;
  readonly signedAt?: Date;
}

const exclusive = { mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0, withComments: false } as const;

/** @returns the signed XML, bytes as published. */
export function signWhitelist(asked: WhitelistSpec): Buffer {
  // one instant for all: digest and signature must speak of the same text
  const spec = { signedAt: new Date(), generatedAt: new Date(), ...asked };
  const unsigned = listXml(spec);
  const id = createHash('md5').update(unsigned).digest('hex');
  const documentDigest = digest('sha256', canonical(unsigned));
  const withProperties = insert(
    unsigned,
    signatureXml(spec, id, { document: documentDigest, properties: '', value: '' }),
  );
  const properties = digest('sha256', canonical(withProperties, `//*[@Id='xades-id-${id}']`));
  const withInfo = insert(unsigned, signatureXml(spec, id, { document: documentDigest, properties, value: '' }));
  const value = createSign('RSA-SHA256')
    .update(canonical(withInfo, "//*[local-name()='SignedInfo']"))
    .sign(spec.signer.keyPem, 'base64');
  return Buffer.from(insert(unsigned, signatureXml(spec, id, { document: documentDigest, properties, value })), 'utf8');
}

export function listXml({ domains, generatedAt = new Date() }: Pick<WhitelistSpec, 'domains' | 'generatedAt'>): string {
  const time = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
  const rows = domains.map(
    (domain, index) => `
        <Domaine>
            <Identifiant>${index + 1}</Identifiant>
            <db>${text(domain.db)}</db>
            <vi>${text(domain.vi)}</vi>
            <Denomination>STRUCTURE SYNTHETIQUE</Denomination>
            <DNCertificatOperateur>CN=${text(domain.commonName)},OU=${text(domain.organizationalUnit)},O=STRUCTURE SYNTHETIQUE,ST=Paris (75),C=FR</DNCertificatOperateur>
            <SupportContact>support@example.org</SupportContact>
            <DateMAJ>${time(generatedAt)}</DateMAJ>
        </Domaine>`,
  );
  return `<?xml version="1.0" encoding="UTF-8" standalone="no"?><ListeBlancheDRIM-M xmlns="https://github.com/ansforge/DRIM-M_DATA" versionFormat="1.0.0">
    <DateDeGeneration>${time(generatedAt)}</DateDeGeneration>
    <ListeDomaines>${rows.join('')}
    </ListeDomaines>
</ListeBlancheDRIM-M>`;
}

function signatureXml(
  spec: WhitelistSpec,
  id: string,
  values: { readonly document: string; readonly properties: string; readonly value: string },
): string {
  const { signer, pki, signedAt = new Date() } = spec;
  const c14n = 'http://www.w3.org/2001/10/xml-exc-c14n#';
  const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
  const certificates = [signer.certificate, signer.issuer.certificate, pki.root.certificate];
  const leaf = new X509Certificate(Buffer.from(signer.certificate.rawData));
  return (
    `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="id-${id}"><ds:SignedInfo>` +
    `<ds:CanonicalizationMethod Algorithm="${c14n}"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>` +
    `<ds:Reference Id="r-id-${id}-1" URI=""><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2">` +
    `<dsig-filter2:XPath xmlns:dsig-filter2="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">/descendant::ds:Signature</dsig-filter2:XPath></ds:Transform>` +
    `<ds:Transform Algorithm="${c14n}"/></ds:Transforms><ds:DigestMethod Algorithm="${sha256}"/><ds:DigestValue>${values.document}</ds:DigestValue></ds:Reference>` +
    `<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#xades-id-${id}"><ds:Transforms><ds:Transform Algorithm="${c14n}"/></ds:Transforms>` +
    `<ds:DigestMethod Algorithm="${sha256}"/><ds:DigestValue>${values.properties}</ds:DigestValue></ds:Reference></ds:SignedInfo>` +
    `<ds:SignatureValue Id="value-id-${id}">${values.value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>` +
    certificates
      .map(
        (certificate) =>
          `<ds:X509Certificate>${Buffer.from(certificate.rawData).toString('base64')}</ds:X509Certificate>`,
      )
      .join('') +
    `</ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#id-${id}">` +
    `<xades:SignedProperties Id="xades-id-${id}"><xades:SignedSignatureProperties><xades:SigningTime>${signedAt.toISOString().replace(/\.\d+Z$/, 'Z')}</xades:SigningTime>` +
    `<xades:SigningCertificateV2><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha512"/>` +
    `<ds:DigestValue>${digest('sha512', leaf.raw)}</ds:DigestValue></xades:CertDigest><xades:IssuerSerialV2>${issuerSerial(signer)}</xades:IssuerSerialV2></xades:Cert></xades:SigningCertificateV2>` +
    `</xades:SignedSignatureProperties><xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#r-id-${id}-1"><xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat>` +
    `</xades:SignedDataObjectProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature>`
  );
}

/** RFC 5035 IssuerSerial: GeneralNames { [4] Name }, INTEGER. */
function issuerSerial({ certificate }: Issued): string {
  const name = Buffer.from(new x509.X509Certificate(certificate.rawData).issuerName.toArrayBuffer());
  const serial = Buffer.from(certificate.serialNumber, 'hex');
  return der(0x30, der(0x30, der(0xa4, name)), der(0x02, serial)).toString('base64');
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function canonical(xml: string, path?: string): Buffer {
  const document = XmlDocument.fromString(xml);
  try {
    const node = path === undefined ? undefined : document.root.get(path);
    if (node === null) throw new Error(`nothing at ${path ?? ''}`);
    return Buffer.from((node ?? document).canonicalizeToString(exclusive));
  } finally {
    document.dispose();
  }
}

function digest(algorithm: string, bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest('base64');
}

function insert(xml: string, signature: string): string {
  return xml.replace('</ListeBlancheDRIM-M>', () => `${signature}</ListeBlancheDRIM-M>`);
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export interface WhitelistServer {
  readonly listUrl: string;
  /** One for each authority of the PKI that issues something trusted. */
  readonly crlUrls: readonly string[];
  /** Certificates of the same authorities, DER, as an AIA names them. */
  readonly aiaUrls: readonly string[];
  /** Requests answered, by path. */
  readonly requests: ReadonlyMap<string, number>;
  /** What is served from now on; bytes are served as they are, good or bad. */
  publish(list: Buffer): void;
  /** Answers 503 until set back. */
  setAvailable(available: boolean): void;
  close(): Promise<void>;
}

/** Plain HTTP on loopback, as CRLs are; the list carries its own signature. CRLs are read from the PKI at each request. */
export async function startWhitelistServer(
  pki: Pki,
  list: Buffer,
  { host }: Pick<Place, 'host'> = loopback,
): Promise<WhitelistServer> {
  const state = { list, available: true };
  const requests = new Map<string, number>();
  const authorities = [pki.root, pki.servers, pki.organisations];
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.set(path, (requests.get(path) ?? 0) + 1);
    if (!state.available) {
      response.writeHead(503).end();
      return;
    }
    const crl = /^\/crl\/(\d)\.crl$/.exec(path)?.[1];
    const authority = crl === undefined ? undefined : authorities[Number(crl)];
    if (authority) {
      response.writeHead(200, { 'content-type': 'application/pkix-crl' }).end(readFileSync(authority.crlDerFile));
      return;
    }
    const issuer = authorities[Number(/^\/aia\/(\d)\.cer$/.exec(path)?.[1] ?? Number.NaN)];
    if (issuer) {
      response.writeHead(200, { 'content-type': 'application/pkix-cert' }).end(Buffer.from(issuer.certificate.rawData));
      return;
    }
    if (path !== '/liste-blanche.xml') {
      response.writeHead(404).end();
      return;
    }
    const etag = `"${createHash('sha256').update(state.list).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { 'content-type': 'application/xml', etag }).end(state.list);
  });
  const close = endOf(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const base = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    listUrl: `${base}/liste-blanche.xml`,
    crlUrls: authorities.map((_authority, index) => `${base}/crl/${index}.crl`),
    aiaUrls: authorities.map((_authority, index) => `${base}/aia/${index}.cer`),
    requests,
    publish: (next) => {
      state.list = next;
    },
    setAvailable: (available) => {
      state.available = available;
    },
    close,
  };
}
