/** All hostile lists, in families, each with the material it is judged with. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPki, type Pki } from '../pki.ts';
import { listXml, signWhitelist } from '../whitelist.ts';
import { brokenBytes } from './bytes.ts';
import { badContents } from './contents.ts';
import { changedDocuments } from './document.ts';
import type { Signer } from './forge.ts';
import { make, signerOf } from './laboratory.ts';
import { changedSignatures } from './signature.ts';
import { bentSignatures } from './signed-info.ts';
import { badSigners } from './signer.ts';
import type { Trust, Variant } from './variant.ts';

export interface Family {
  readonly name: string;
  readonly trust: Trust;
  readonly variants: readonly Variant[];
}

export interface Laboratory {
  readonly pki: Pki;
  readonly signer: Signer;
  /** Unsigned. */
  readonly list: string;
  /** Signed as ANS does, by the signer of the PKI. */
  readonly good: Buffer;
  readonly trust: Trust;
  readonly families: readonly Family[];
}

/** The official TEST list and its anchors, when they lie beside the repository. */
export function officialList(): { readonly bytes: Buffer; readonly anchors: readonly Buffer[] } | undefined {
  const folder = join(import.meta.dirname, '../../../../shared/ans/whitelist');
  const file = join(folder, 'LISTEBLANCHE_DRIM-M_SIGNEE_TEST.xml');
  if (!existsSync(file)) return undefined;
  const anchors = ['root.cer', 'intermediate.cer'].map((name) => readFileSync(join(folder, 'anchors', name)));
  return { bytes: readFileSync(file), anchors };
}

/** @param directory for the PKI */
export async function openLaboratory(directory: string): Promise<Laboratory> {
  const pki = await createPki(directory);
  const issued = await pki.issue({
    commonName: 'Liste Blanche DRIM-M',
    organizationalUnit: '318751275100020',
    kind: 'SIGN',
  });
  const domains = ['a', 'b'].map((name, index) => ({
    db: `db1.${name}.example`,
    vi: `été.${name}.example`,
    commonName: `db1.${name}.example`,
    organizationalUnit: `175000000${index + 1}`,
  }));
  const good = signWhitelist({ domains, signer: issued, pki });
  const list = listXml({ domains });
  const signer = signerOf(issued, pki);
  const trust: Trust = {
    anchors: [readFileSync(pki.root.certificateFile)],
    crls: [readFileSync(pki.crlBundleFile)],
    requireRevocation: true,
    at: new Date(),
  };
  const ecSigner = await make(
    { ...pki.organisations, above: [Buffer.from(pki.root.certificate.rawData)] },
    { key: 'ec' },
  );
  const official = officialList();
  const officialTrust = { ...trust, anchors: official?.anchors ?? [], crls: [], requireRevocation: false };
  const tampered = (xml: string): readonly Variant[] => [
    ...changedDocuments(xml),
    ...changedSignatures(xml),
    ...brokenBytes(xml),
  ];
  const families: readonly Family[] = [
    { name: 'changed after signing', trust, variants: tampered(good.toString('utf8')) },
    { name: 'signed with other means', trust, variants: bentSignatures(list, signer, ecSigner) },
    { name: 'signed by another', trust, variants: await badSigners(list, pki, signer) },
    { name: 'signed contents', trust, variants: badContents(list, signer) },
    ...(official === undefined
      ? []
      : [
          {
            name: 'the official list, changed',
            trust: officialTrust,
            variants: tampered(official.bytes.toString('utf8')),
          },
        ]),
  ];
  return { pki, signer, list, good, trust, families };
}
