/** The header of a CDA R2 report, level 1 or 3: as written, nothing judged, nothing of the body (ci-sis §3). */
import type { Code, Identifier } from '../../domain.ts';
import { type CdaOrder, type CdaStudy, readOrders, readStudies } from './cda-exams.ts';
import {
  type CdaPatient,
  type CdaProfessional,
  readAuthor,
  readCode,
  readLegalAuthenticator,
  readPatient,
} from './cda-people.ts';
import { type CdaNode, withCda } from './cda-xml.ts';
import { INS_OIDS } from './ins.ts';

export interface CdaHeader {
  /** Value is the extension when there is one, else the root; the authority is the root of an extension (TXA-12 speaks the same way). */
  readonly id: Identifier | undefined;
  readonly setId: string;
  /** 1 when absent. */
  readonly version: number;
  readonly replaces: Identifier | undefined;
  readonly creationTime: string;
  readonly title: string;
  readonly confidentiality: Code | undefined;
  readonly language: string;
  readonly level: 'N1' | 'N3';
  readonly patient: CdaPatient;
  readonly orders: readonly CdaOrder[];
  readonly studies: readonly CdaStudy[];
  readonly author: CdaProfessional;
  readonly legalAuthenticator: CdaProfessional;
  readonly healthcareFacilityType: Code | undefined;
}

/** @throws CdaUnreadable when the bytes are not a CDA. */
export function readCdaHeader(bytes: Uint8Array): CdaHeader {
  return withCda(bytes, (document) => ({
    id: identifier(document, 'h:id'),
    setId: document.text('h:setId/@extension') || document.text('h:setId/@root'),
    version: Number.parseInt(document.text('h:versionNumber/@value'), 10) || 1,
    replaces: identifier(document, "h:relatedDocument[@typeCode='RPLC']/h:parentDocument/h:id"),
    creationTime: document.text('h:effectiveTime/@value'),
    title: document.text('h:title'),
    confidentiality: readCode(document, 'h:confidentialityCode'),
    language: document.text('h:languageCode/@code'),
    level: document.has('h:component/h:structuredBody') ? 'N3' : 'N1',
    patient: readPatient(document, INS_OIDS),
    orders: readOrders(document),
    studies: readStudies(document),
    author: readAuthor(document),
    legalAuthenticator: readLegalAuthenticator(document),
    healthcareFacilityType: readCode(
      document,
      'h:componentOf/h:encompassingEncounter/h:location/h:healthCareFacility/h:code',
    ),
  }));
}

function identifier(document: CdaNode, path: string): Identifier | undefined {
  const root = document.text(`${path}/@root`);
  const extension = document.text(`${path}/@extension`);
  if (root === '') return undefined;
  return extension === '' ? { value: root, authority: '' } : { value: extension, authority: root };
}
