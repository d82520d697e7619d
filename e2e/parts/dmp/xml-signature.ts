/** XML signatures verified by xmldsigjs: another engine than the one that makes ours. */
import { webcrypto, X509Certificate } from 'node:crypto';
import { DOMImplementation, DOMParser, XMLSerializer } from '@xmldom/xmldom';
import * as xadesjs from 'xadesjs';
import * as xmldsigjs from 'xmldsigjs';
import xpath from 'xpath';
import { security, SoapFault } from './refusals.ts';
import { children, descend, type Element, parseXml, rootOf, textOf } from './xml.ts';
import { uri } from './names.ts';

xadesjs.setNodeDependencies({ DOMParser, XMLSerializer, DOMImplementation, xpath });
xadesjs.Application.setEngine('Node', webcrypto as Parameters<typeof xadesjs.Application.setEngine>[1]);

const strong = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
]);

export interface VerifiedSignature {
  readonly signer: X509Certificate;
  /** URI of each reference of SignedInfo. */
  readonly references: readonly string[];
}

/**
 * @param xml document whose root is, or directly holds, the signature.
 * @throws SoapFault wsse:InvalidSecurity
 */
export async function verifySignature(xml: string, what: string): Promise<VerifiedSignature> {
  const root = rootOf(parseXml(xml));
  const signature = isSignature(root) ? root : children(root, uri.dsig, 'Signature')[0];
  security(signature !== undefined, `${what}: no signature`);
  const method = descend(signature, uri.dsig, 'SignedInfo', 'SignatureMethod')?.getAttribute('Algorithm') ?? '';
  security(strong.has(method), `${what}: signature method ${method} is not taken`);
  const embedded = textOf(descend(signature, uri.dsig, 'KeyInfo', 'X509Data', 'X509Certificate'));
  security(embedded !== '', `${what}: no X509Certificate`);
  const signer = certificateOf(embedded, what);
  const key = await webcrypto.subtle.importKey(
    'spki',
    signer.publicKey.export({ type: 'spki', format: 'der' }),
    { name: 'RSASSA-PKCS1-v1_5', hash: method.endsWith('512') ? 'SHA-512' : 'SHA-256' },
    true,
    ['verify'],
  );
  security(await verified(xml, key, what), `${what}: the signature does not verify`);
  const info = descend(signature, uri.dsig, 'SignedInfo');
  return {
    signer,
    references:
      info === undefined ? [] : children(info, uri.dsig, 'Reference').map((one) => one.getAttribute('URI') ?? ''),
  };
}

async function verified(xml: string, key: webcrypto.CryptoKey, what: string): Promise<boolean> {
  const document = xmldsigjs.Parse(xml);
  const [signature] = [...document.getElementsByTagNameNS(uri.dsig, 'Signature')];
  security(signature !== undefined, `${what}: no signature`);
  try {
    const signed = new xmldsigjs.SignedXml(document);
    signed.LoadXml(signature);
    return await signed.Verify(key as Parameters<typeof signed.Verify>[0]);
  } catch (error) {
    // xmldsigjs throws for a digest that differs as well as for what it can't read
    throw new SoapFault('wsse:InvalidSecurity', `${what}: the signature does not verify: ${reasonOf(error)}`);
  }
}

function isSignature(element: Element): boolean {
  return element.localName === 'Signature' && element.namespaceURI === uri.dsig;
}

function certificateOf(base64: string, what: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    // unreadable is one more way of being invalid
    throw new SoapFault('wsse:InvalidSecurity', `${what}: X509Certificate can't be read`);
  }
}

/** xml-core throws objects that look like errors and are none. */
function reasonOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
