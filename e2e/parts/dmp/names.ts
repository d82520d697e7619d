/** The vocabulary of XDS.b and of the DMP as its simulator reads it: written from the specification, not from our client. */
export const uri = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  addressing: 'http://www.w3.org/2005/08/addressing',
  security: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  dsig: 'http://www.w3.org/2000/09/xmldsig#',
  xades: 'http://uri.etsi.org/01903/v1.1.1#',
  hl7: 'urn:hl7-org:v3',
  xdsb: 'urn:ihe:iti:xds-b:2007',
  lcm: 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0',
  rim: 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  rs: 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0',
  query: 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0',
  xop: 'http://www.w3.org/2004/08/xop/include',
} as const;

export type Operation = 'ITI-41' | 'ITI-18' | 'ITI-43' | 'TD3.3c';

export const operations: Readonly<Record<string, { readonly operation: Operation; readonly service: string }>> = {
  'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b': { operation: 'ITI-41', service: 'repository' },
  'urn:ihe:iti:2007:RetrieveDocumentSet': { operation: 'ITI-43', service: 'repository' },
  'urn:ihe:iti:2007:RegistryStoredQuery': { operation: 'ITI-18', service: 'registry' },
  'urn:ihe:iti:2010:UpdateDocumentSet': { operation: 'TD3.3c', service: 'registry' },
};

/** Metadata attribute of each classificationScheme and identificationScheme (ITI TF-3 table 4.3). */
export const entryAttribute: Readonly<Record<string, string>> = {
  'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d': 'author',
  'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a': 'classCode',
  'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983': 'typeCode',
  'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d': 'formatCode',
  'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f': 'confidentialityCode',
  'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1': 'healthcareFacilityTypeCode',
  'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead': 'practiceSettingCode',
  'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4': 'eventCodeList',
  'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427': 'patientId',
  'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab': 'uniqueId',
  'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d': 'author',
  'urn:uuid:aa543740-bdda-424e-8c96-df4873be8500': 'contentTypeCode',
  'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446': 'patientId',
  'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832': 'sourceId',
  'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8': 'uniqueId',
};

export const documentType = 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1';
export const submissionSetNode = 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd';

export const link = {
  member: 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
  signs: 'urn:ihe:iti:2007:AssociationType:signs',
  replaces: 'urn:ihe:iti:2007:AssociationType:RPLC',
  status: 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus',
} as const;

export const statusName = {
  approved: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
  deprecated: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated',
  deleted: 'urn:asip:ci-sis:2010:StatusType:Deleted',
} as const;
export type Status = keyof typeof statusName;
