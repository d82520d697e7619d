/** The submission set of TD2.1 and TD3.3c (ci-sis §5.4): one package, its node, whose author is the caller. */
import { checkAuthor, one } from './entry-rules.ts';
import { submissionSetNode, uri } from './names.ts';
import { metadata } from './refusals.ts';
import { readLink, readObject, type Link, type RegistryObject } from './registry-objects.ts';
import type { Caller } from './vihf.ts';
import { children, descend, type Element } from './xml.ts';

export interface SubmittedObjects {
  readonly set: RegistryObject;
  readonly setId: string;
  readonly entries: readonly RegistryObject[];
  readonly links: readonly Link[];
}

const contentTypes = '1.2.250.1.213.2.2';
const oid = /^[0-2](\.(0|[1-9]\d*))+$/;

export function readSubmittedObjects(request: Element, caller: Caller): SubmittedObjects {
  const list = descend(request, uri.rim, 'RegistryObjectList');
  metadata(list !== undefined, 'no RegistryObjectList');
  const packages = children(list, uri.rim, 'RegistryPackage');
  const [element] = packages;
  metadata(element !== undefined && packages.length === 1, 'one RegistryPackage is wanted');
  const set = readObject(element);
  const nodes = [...children(list, uri.rim, 'Classification'), ...children(element, uri.rim, 'Classification')];
  metadata(
    nodes.some(
      (node) =>
        node.getAttribute('classificationNode') === submissionSetNode &&
        node.getAttribute('classifiedObject') === set.id,
    ),
    `${set.id}: not classified as a submission set`,
  );
  const setId = set.identifiers.get('uniqueId') ?? '';
  metadata(oid.test(setId), `${set.id}: uniqueId is no OID`);
  metadata(oid.test(set.identifiers.get('sourceId') ?? ''), `${set.id}: sourceId is no OID`);
  metadata(
    /^\d{14}$/.test(set.slots.get('submissionTime')?.[0] ?? ''),
    `${set.id}: submissionTime is missing or malformed`,
  );
  const contentType = one(set, 'contentTypeCode');
  metadata(contentType.system === contentTypes, `${set.id}: contentTypeCode is not of ${contentTypes}`);
  metadata(
    checkAuthor(set) === caller.structure,
    `${set.id}: authorInstitution is not the structure of the VIHF ${caller.structure}`,
  );
  metadata(
    set.identifiers.get('patientId') === caller.patient,
    `${set.id}: patientId is not the patient of the VIHF`,
    'XDSPatientIdDoesNotMatch',
  );
  return {
    set,
    setId,
    entries: children(list, uri.rim, 'ExtrinsicObject').map(readObject),
    links: children(list, uri.rim, 'Association').map(readLink),
  };
}
