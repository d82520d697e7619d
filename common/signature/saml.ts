/** Enveloped signature of a SAML 2.0 assertion (ci-sis §6.4): exclusive c14n, so that it holds inside any envelope. */
import { rsaSha256, type SignatureAlgorithms, signatureNames as names } from './algorithms.ts';
import { canonicalSubtrees } from './canonical.ts';
import { digestOf, type SigningKey, signatureOf } from './signing-key.ts';
import { element, type Xml } from './xml-writer.ts';

/**
 * @param render writes the assertion with its signature placed after the Issuer, or without when there is none yet.
 * @param id its ID attribute. @returns the signed assertion.
 */
export function signAssertion(
  render: (signature: Xml | undefined) => Xml,
  id: string,
  key: SigningKey,
  algorithms: SignatureAlgorithms = rsaSha256,
): Xml {
  const [assertion = Buffer.alloc(0)] = canonicalSubtrees(render(undefined).text, [['/*', 'exclusive']]);
  const signedInfo = (declaration: Record<string, string>): Xml =>
    element(
      'ds:SignedInfo',
      declaration,
      element('ds:CanonicalizationMethod', { Algorithm: names.exclusive }),
      element('ds:SignatureMethod', { Algorithm: algorithms.signature.uri }),
      element(
        'ds:Reference',
        { URI: `#${id}` },
        element(
          'ds:Transforms',
          {},
          element('ds:Transform', { Algorithm: names.enveloped }),
          element('ds:Transform', { Algorithm: names.exclusive }),
        ),
        element('ds:DigestMethod', { Algorithm: algorithms.digest.uri }),
        element('ds:DigestValue', {}, digestOf(assertion, algorithms)),
      ),
    );
  const [signed = Buffer.alloc(0)] = canonicalSubtrees(signedInfo({ 'xmlns:ds': names.ds }).text, [
    ['/*', 'exclusive'],
  ]);
  return render(
    element(
      'ds:Signature',
      { 'xmlns:ds': names.ds },
      signedInfo({}),
      element('ds:SignatureValue', {}, signatureOf(signed, key, algorithms)),
      keyInfo(key),
    ),
  );
}

export function keyInfo(key: SigningKey): Xml {
  return element(
    'ds:KeyInfo',
    {},
    element('ds:X509Data', {}, element('ds:X509Certificate', {}, Buffer.from(key.certificate.raw).toString('base64'))),
  );
}
