/** What an entry of the DMP must say (ci-sis §5.2–5.7), rule by rule; each refusal names the metadata. */
import { createHash } from 'node:crypto';
import { documentType } from './names.ts';
import { metadata } from './refusals.ts';
import type { Classified, RegistryObject } from './registry-objects.ts';

const insCx = /^[0-9A-Z]{15}\^\^\^&1\.2\.250\.1\.213\.1\.4\.(8|9|10|11)&ISO\^NH$/;
const time = /^\d{4}(\d{2}){0,5}$/;
const oid = /^[0-2](\.(0|[1-9]\d*))+$/;
const xcn = /^[^^]+\^[^^]+\^[^^]*\^{6}&1\.2\.250\.1\.71\.4\.2\.1&ISO\^D\^\^\^(IDNPS|EI)$/;
const xon = /^[^^]+\^{5}&1\.2\.250\.1\.71\.4\.2\.2&ISO\^IDNST\^\^\^[^^]+$/;
const referenceTypes = {
  accession: /^[^^]+\^{3}(&[\d.]+&ISO)?\^urn:ihe:iti:xds:2013:accession$/,
  order: /^[^^]+\^{3}(&[\d.]+&ISO)?\^urn:ihe:iti:xds:2013:order$/,
  study: /^[\d.]+\^{3}(&[\d.]+&ISO)?\^urn:ihe:iti:xds:2016:studyInstanceUID$/,
} as const;
const confidentialitySystems = ['2.16.840.1.113883.5.25', '1.2.250.1.213.1.1.4.13'];
const eventSystems = new Set([
  '1.2.840.10008.2.16.4',
  '1.2.250.1.213.1.1.5.618',
  '2.16.840.1.113883.6.96',
  '1.2.250.1.213.1.1.5.695',
  '1.2.250.1.213.2.5',
]);

/** Exactly these codes on a KOS, exactly those on a signature. */
const fixed = {
  kos: {
    classCode: ['31', '1.2.250.1.213.1.1.4.1'],
    typeCode: ['IMG-KOS', '1.2.250.1.213.1.1.4.12'],
    formatCode: ['1.2.840.10008.5.1.4.1.1.88.59', '1.2.840.10008.2.6.1'],
  },
  signature: {
    classCode: ['urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1', 'URN'],
    typeCode: ['E1762', 'ASTM'],
    formatCode: ['http://www.w3.org/2000/09/xmldsig#', 'URN'],
  },
} as const;

export function checkEntry(entry: RegistryObject, kind: 'kos' | 'signature', bytes: Buffer): void {
  const { id } = entry;
  const wantedMime = kind === 'kos' ? 'application/dicom' : 'text/xml';
  metadata(entry.element.getAttribute('mimeType') === wantedMime, `${id}: mimeType is not ${wantedMime}`);
  metadata(entry.element.getAttribute('objectType') === documentType, `${id}: objectType is not a stable document`);
  checkSlots(entry, kind);
  checkHash(entry, bytes);
  for (const [name, [code, system]] of Object.entries(fixed[kind])) {
    const found = one(entry, name);
    metadata(
      found.code === code && found.system === system,
      `${id}: ${name} ${found.code} is not ${code} of ${system}`,
    );
  }
  metadata(
    one(entry, 'healthcareFacilityTypeCode').system === '1.2.250.1.71.4.2.4',
    `${id}: healthcareFacilityTypeCode is not of 1.2.250.1.71.4.2.4`,
  );
  metadata(
    one(entry, 'practiceSettingCode').system === '1.2.250.1.213.1.1.4.9',
    `${id}: practiceSettingCode is not of 1.2.250.1.213.1.1.4.9`,
  );
  checkConfidentiality(entry);
  checkAuthor(entry);
  if (kind === 'kos') checkKosCodes(entry);
  metadata(insCx.test(entry.identifiers.get('patientId') ?? ''), `${id}: patientId is no INS`);
  metadata(oid.test(entry.identifiers.get('uniqueId') ?? ''), `${id}: uniqueId is no OID`);
}

/** @returns XON.10 of the author of an entry or submission set. */
export function checkAuthor(object: RegistryObject): string {
  const { slots } = one(object, 'author');
  const institution = slots.get('authorInstitution')?.[0] ?? '';
  metadata(xon.test(institution), `${object.id}: authorInstitution ${institution} is no XON with IDNST`);
  const person = slots.get('authorPerson')?.[0] ?? '';
  metadata(xcn.test(person), `${object.id}: authorPerson ${person} is no XCN with IDNPS`);
  return institution.split('^')[9] ?? '';
}

export function one(object: RegistryObject, name: string): Classified {
  const [found, ...others] = object.codes.get(name) ?? [];
  metadata(found !== undefined && others.length === 0, `${object.id}: ${name} must be there once`);
  return found;
}

function checkSlots(entry: RegistryObject, kind: 'kos' | 'signature'): void {
  const value = (name: string, pattern: RegExp): void => {
    const text = entry.slots.get(name)?.[0] ?? '';
    metadata(pattern.test(text), `${entry.id}: ${name} ${text === '' ? 'is missing' : `${text} is malformed`}`);
  };
  value('creationTime', time);
  value('languageCode', kind === 'kos' ? /^[a-z]{2}-[A-Z]{2}$/ : /^art$/);
  value('sourcePatientId', /^[^^]+\^{3}&[\d.]+&ISO\^(PI|NH)$/);
  if (kind === 'kos') value('legalAuthenticator', xcn);
  for (const name of ['serviceStartTime', 'serviceStopTime']) if (entry.slots.has(name)) value(name, time);
  const info = entry.slots.get('sourcePatientInfo') ?? [];
  for (const field of [/^PID-5\|[^^|]+\^[^^|]+\^\^\^\^\^L$/, /^PID-7\|\d{8}$/, /^PID-8\|[MFOU]$/])
    metadata(
      info.some((line) => field.test(line)),
      `${entry.id}: sourcePatientInfo lacks ${field.source.slice(1, 6)}`,
    );
}

function checkHash(entry: RegistryObject, bytes: Buffer): void {
  const hash = entry.slots.get('hash')?.[0] ?? '';
  const real = createHash('sha1').update(bytes).digest('hex');
  metadata(hash.toLowerCase() === real, `${entry.id}: hash ${hash} is not that of the bytes`, 'XDSNonIdenticalHash');
  const size = entry.slots.get('size')?.[0] ?? '';
  metadata(
    size === String(bytes.length),
    `${entry.id}: size ${size} is not that of the bytes`,
    'XDSRepositoryMetadataError',
  );
}

function checkConfidentiality(entry: RegistryObject): void {
  const codes = entry.codes.get('confidentialityCode') ?? [];
  metadata(
    codes[0]?.system === confidentialitySystems[0],
    `${entry.id}: confidentialityCode must start with N, R or V of 2.16.840.1.113883.5.25`,
  );
  metadata(
    codes.every(({ system }) => confidentialitySystems.includes(system)),
    `${entry.id}: a confidentialityCode is of another system`,
  );
}

function checkKosCodes(entry: RegistryObject): void {
  const references = entry.slots.get('urn:ihe:iti:xds:2013:referenceIdList') ?? [];
  for (const [type, pattern] of Object.entries(referenceTypes))
    metadata(
      references.some((value) => pattern.test(value)),
      `${entry.id}: referenceIdList has no ${type}`,
    );
  const events = entry.codes.get('eventCodeList') ?? [];
  metadata(
    events.some(({ system }) => system === '1.2.840.10008.2.16.4'),
    `${entry.id}: eventCodeList has no modality`,
  );
  const keys = events.map(({ code, system }) => `${system}|${code}`);
  metadata(new Set(keys).size === keys.length, `${entry.id}: eventCodeList has a code twice`);
  metadata(
    events.every(({ system }) => eventSystems.has(system)),
    `${entry.id}: eventCodeList has an unknown system`,
  );
}
