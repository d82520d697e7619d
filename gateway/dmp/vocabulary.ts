/** Names and codes of XDS.b and of the DMP's profile of it (ci-sis §5, §6). */
import type { Code } from '../domain.ts';

export const ns = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  hl7: 'urn:hl7-org:v3',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  xdsb: 'urn:ihe:iti:xds-b:2007',
  lcm: 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0',
  rim: 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  rs: 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0',
  query: 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0',
  xop: 'http://www.w3.org/2004/08/xop/include',
} as const;

/** ci-sis §6.2: service under the base URL, and wsa:Action. */
export const transactions = {
  publish: { service: 'repository', action: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b' },
  search: { service: 'registry', action: 'urn:ihe:iti:2007:RegistryStoredQuery' },
  remove: { service: 'registry', action: 'urn:ihe:iti:2010:UpdateDocumentSet' },
} as const;
export type Transaction = keyof typeof transactions;

export const objectTypes = {
  stableDocument: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  submissionSet: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
} as const;

export const entrySchemes = {
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  confidentialityCode: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  healthcareFacilityTypeCode: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practiceSettingCode: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  eventCodeList: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  patientId: 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  uniqueId: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
} as const;

export const submissionSetSchemes = {
  author: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
  contentTypeCode: 'urn:uuid:aa543740-bdda-424e-8c96-df4873be8500',
  patientId: 'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
  sourceId: 'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832',
  uniqueId: 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8',
} as const;

export const associations = {
  hasMember: 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
  signs: 'urn:ihe:iti:2007:AssociationType:signs',
  replaces: 'urn:ihe:iti:2007:AssociationType:RPLC',
  updateAvailabilityStatus: 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus',
} as const;

export const statuses = {
  approved: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
  deleted: 'urn:asip:ci-sis:2010:StatusType:Deleted',
} as const;

/** GetDocuments (ci-sis §6.5). */
export const GET_DOCUMENTS = 'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4';

export const oids = {
  persons: '1.2.250.1.71.4.2.1',
  structures: '1.2.250.1.71.4.2.2',
  sectors: '1.2.250.1.71.4.2.4',
  professions: '1.2.250.1.71.1.2.7',
  skills: '1.2.250.1.71.4.2.5',
  accessModes: '1.2.250.1.213.1.1.4.248',
} as const;

export const normalConfidentiality: Code = { code: 'N', system: '2.16.840.1.113883.5.25', label: 'Normal' };
const visibilityCode = (code: string, label: string): Code => ({ code, system: '1.2.250.1.213.1.1.4.13', label });
/** ci-sis §5.5 */
export const visibilityCodes = {
  maskedFromProfessionals: visibilityCode('MASQUE_PS', 'Masqué aux professionnels de santé'),
  invisibleToPatient: visibilityCode('INVISIBLE_PATIENT', 'Non visible par le patient'),
  invisibleToLegalRepresentatives: visibilityCode(
    'INVISIBLE_REPRESENTANTS_LEGAUX',
    'Non visible par les représentants légaux du patient',
  ),
} as const;

/** ci-sis §5.2 */
export const kosCodes = {
  classCode: { code: '31', system: '1.2.250.1.213.1.1.4.1', label: 'Imagerie médicale' },
  typeCode: { code: 'IMG-KOS', system: '1.2.250.1.213.1.1.4.12', label: "Reference d'objets d'un examen d'imagerie" },
  formatCode: {
    code: '1.2.840.10008.5.1.4.1.1.88.59',
    system: '1.2.840.10008.2.6.1',
    label: "Document de Références d'objets d'imagerie selon profil IHE RAD XDS-I",
  },
} as const satisfies Record<string, Code>;

/** ci-sis §5.7 */
export const signatureCodes = {
  classCode: { code: 'urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1', system: 'URN', label: 'Digital Signature' },
  typeCode: { code: 'E1762', system: 'ASTM', label: 'Full Document' },
  formatCode: { code: 'http://www.w3.org/2000/09/xmldsig#', system: 'URN', label: 'Default Signature Style' },
  eventCode: { code: '1.2.840.10065.1.12.1.14', system: '1.2.840.10065.1.12', label: 'Source' },
} as const satisfies Record<string, Code>;
