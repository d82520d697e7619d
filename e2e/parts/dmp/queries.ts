/** Stored queries of TD3.1 (ITI-18, ci-sis §6.5). */
import { statusName, uri } from './names.ts';
import { RegistryRefusal } from './refusals.ts';
import { slotsOf } from './registry-objects.ts';
import type { DmpEntry, Registry } from './registry.ts';
import type { SoapRequest } from './soap.ts';
import type { Caller } from './vihf.ts';
import { descend } from './xml.ts';

export interface Found {
  readonly entries: readonly DmpEntry[];
  readonly leafClass: boolean;
}

type Parameters = ReadonlyMap<string, readonly string[]>;
type Query = (parameters: Parameters, entry: DmpEntry) => boolean;

const queries: Readonly<
  Record<string, { readonly required: readonly (readonly string[])[]; readonly matches: Query }>
> = {
  'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d': {
    required: [['$XDSDocumentEntryPatientId'], ['$XDSDocumentEntryStatus']],
    matches: findDocuments,
  },
  'urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492': {
    required: [['$XDSDocumentEntryPatientId'], ['$XDSDocumentEntryStatus'], ['$XDSDocumentEntryReferenceIdList']],
    matches: (parameters, entry) =>
      findDocuments(parameters, entry) &&
      some(parameters, '$XDSDocumentEntryReferenceIdList', (value) => entry.referenceIds.includes(value)),
  },
  'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4': {
    required: [['$XDSDocumentEntryUniqueId', '$XDSDocumentEntryEntryUUID']],
    matches: (parameters, entry) =>
      some(parameters, '$XDSDocumentEntryUniqueId', (value) => value === entry.uniqueId) &&
      some(parameters, '$XDSDocumentEntryEntryUUID', (value) => value === entry.entryUuid),
  },
};

export function answerQuery({ body }: SoapRequest, caller: Caller, registry: Registry): Found {
  const returnType = descend(body, uri.query, 'ResponseOption')?.getAttribute('returnType') ?? '';
  if (!['LeafClass', 'ObjectRef'].includes(returnType))
    throw new RegistryRefusal('XDSRegistryError', `returnType ${returnType} is neither LeafClass nor ObjectRef`);
  const adhoc = descend(body, uri.rim, 'AdhocQuery');
  const id = adhoc?.getAttribute('id') ?? '';
  const query = queries[id];
  if (adhoc === undefined || query === undefined) throw new RegistryRefusal('XDSUnknownStoredQuery', `query ${id}`);
  const parameters = parametersOf(slotsOf(adhoc));
  for (const names of query.required)
    if (names.filter((name) => parameters.has(name)).length !== 1)
      throw new RegistryRefusal('XDSStoredQueryMissingParam', `one of ${names.join(', ')} is wanted`);
  const asked = parameters.get('$XDSDocumentEntryPatientId')?.[0];
  if (asked !== undefined && asked !== caller.patient)
    throw new RegistryRefusal('XDSPatientIdDoesNotMatch', 'the patient asked is not the patient of the VIHF');
  return {
    // only of the patient the VIHF speaks of; deleted and masked entries are shown to nobody
    entries: registry
      .state()
      .entries.filter(
        (entry) =>
          entry.patientId === caller.patient &&
          entry.status !== 'deleted' &&
          !entry.hidden &&
          query.matches(parameters, entry),
      ),
    leafClass: returnType === 'LeafClass',
  };
}

function findDocuments(parameters: Parameters, entry: DmpEntry): boolean {
  return (
    some(parameters, '$XDSDocumentEntryPatientId', (value) => value === entry.patientId) &&
    some(parameters, '$XDSDocumentEntryStatus', (value) => value === statusName[entry.status]) &&
    some(parameters, '$XDSDocumentEntryTypeCode', (value) => value === entry.typeCode) &&
    some(parameters, '$XDSDocumentEntryEventCodeList', (value) => entry.eventCodes.includes(value)) &&
    some(parameters, '$XDSDocumentEntryCreationTimeFrom', (value) => entry.creationTime >= value) &&
    some(parameters, '$XDSDocumentEntryCreationTimeTo', (value) => entry.creationTime < value) &&
    some(parameters, '$XDSDocumentEntryServiceStartTimeFrom', (value) => entry.serviceStartTime >= value) &&
    some(parameters, '$XDSDocumentEntryServiceStartTimeTo', (value) => entry.serviceStartTime < value)
  );
}

/** A parameter that is not there restricts nothing. */
function some(parameters: Parameters, name: string, matches: (value: string) => boolean): boolean {
  return parameters.get(name)?.some(matches) ?? true;
}

/** `'a'`, `('a','b')` and bare numbers (ITI TF-2 §3.18.4.1.2.3.5); a doubled quote is a quote. */
function parametersOf(slots: ReadonlyMap<string, readonly string[]>): Parameters {
  const valuesOf = (text: string): readonly string[] => {
    const quoted = [...text.matchAll(/'((?:[^']|'')*)'/g)].map(([, value = '']) => value.replaceAll("''", "'"));
    if (quoted.length > 0) return quoted;
    if (/^\d+$/.test(text)) return [text];
    throw new RegistryRefusal('XDSStoredQueryParamNumber', `${text}: strings are in single quotes`);
  };
  return new Map([...slots].map(([name, values]) => [name, values.flatMap(valuesOf)] as const));
}
