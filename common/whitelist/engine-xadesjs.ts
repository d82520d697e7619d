/**
 * Second engine: xadesjs on another parser (xmldom), with the one transform it lacks. Both engines must agree: each of them alone
 * accepts something that the other refuses (architecture decision 8).
 */
import { type X509Certificate, webcrypto } from 'node:crypto';
import { Document, DOMImplementation, DOMParser, Element, XMLSerializer } from '@xmldom/xmldom';
import * as xadesjs from 'xadesjs';
import * as xmldsigjs from 'xmldsigjs';
import xpath from 'xpath';
import { ns, transforms } from './xml-names.ts';

/** `subtract /descendant::ds:Signature`, the only filter the gate lets through: takes the signature out, in place. */
class SubtractSignature extends xmldsigjs.Transform {
  override Algorithm: string = transforms.filter2;

  override GetOutput(): string {
    // the library hands a tree over and gives the same tree to the next transform: nothing to return
    const tree: unknown = this.GetInnerXml();
    if (tree instanceof Element || tree instanceof Document) {
      for (const signature of Array.from(tree.getElementsByTagNameNS(ns.ds, 'Signature')))
        signature.parentNode?.removeChild(signature);
    }
    return '';
  }
}

const prepared = { done: false };

function prepare(): void {
  if (prepared.done) return;
  prepared.done = true;
  xadesjs.setNodeDependencies({ DOMParser, XMLSerializer, DOMImplementation, xpath });
  xadesjs.Application.setEngine('Node', webcrypto as Parameters<typeof xadesjs.Application.setEngine>[1]);
  xmldsigjs.CryptoConfig.RegisterTransform(transforms.filter2, SubtractSignature);
}

/** @returns whether the signature verifies with the signer's key, and nothing else: trust is not this engine's question. */
export async function verifyByXadesjs(xml: string, signer: X509Certificate, hash: string): Promise<boolean> {
  prepare();
  const document = xmldsigjs.Parse(xml);
  const [signature] = [...document.getElementsByTagNameNS(ns.ds, 'Signature')];
  if (signature === undefined) return false;
  const key = await webcrypto.subtle.importKey(
    'spki',
    signer.publicKey.export({ type: 'spki', format: 'der' }),
    { name: 'RSASSA-PKCS1-v1_5', hash },
    true,
    ['verify'],
  );
  const signed = new xadesjs.SignedXml(document);
  signed.LoadXml(signature);
  return await signed.Verify(key as Parameters<typeof signed.Verify>[0]);
}
