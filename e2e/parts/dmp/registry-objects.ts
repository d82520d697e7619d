/** ebRIM objects of a submission as plain data; the order of the schema is demanded. */
import { entryAttribute, uri } from './names.ts';
import { metadata } from './refusals.ts';
import { children, descend, type Element } from './xml.ts';

export interface Classified {
  readonly code: string;
  readonly system: string;
  readonly label: string;
  readonly slots: ReadonlyMap<string, readonly string[]>;
}

export interface RegistryObject {
  readonly id: string;
  readonly element: Element;
  readonly slots: ReadonlyMap<string, readonly string[]>;
  readonly title: string;
  /** By metadata attribute, e.g. classCode. */
  readonly codes: ReadonlyMap<string, readonly Classified[]>;
  /** patientId, uniqueId, sourceId. */
  readonly identifiers: ReadonlyMap<string, string>;
}

export interface Link {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly slots: ReadonlyMap<string, readonly string[]>;
}

const order = ['Slot', 'Name', 'Description', 'VersionInfo', 'Classification', 'ExternalIdentifier'];

export function readObject(element: Element): RegistryObject {
  const id = element.getAttribute('id') ?? '';
  metadata(id !== '', `${element.localName ?? ''} without id`);
  const places = children(element).map((child) => order.indexOf(child.localName ?? ''));
  metadata(
    places.every((place, index) => place >= 0 && place >= (places[index - 1] ?? 0)),
    `${id}: children are not in the order of the ebRIM schema: ${order.join(', ')}`,
  );
  const codes = new Map<string, Classified[]>();
  for (const child of children(element, uri.rim, 'Classification')) {
    metadata(child.getAttribute('classifiedObject') === id, `${id}: a Classification has another classifiedObject`);
    const attribute = entryAttribute[child.getAttribute('classificationScheme') ?? ''];
    metadata(attribute !== undefined, `${id}: unknown classificationScheme`);
    codes.set(attribute, [...(codes.get(attribute) ?? []), classified(child)]);
  }
  const identifiers = new Map<string, string>();
  for (const child of children(element, uri.rim, 'ExternalIdentifier')) {
    metadata(child.getAttribute('registryObject') === id, `${id}: an ExternalIdentifier has another registryObject`);
    const attribute = entryAttribute[child.getAttribute('identificationScheme') ?? ''] ?? '';
    metadata(attribute !== '' && !identifiers.has(attribute), `${id}: identificationScheme unknown or twice`);
    identifiers.set(attribute, child.getAttribute('value') ?? '');
  }
  return { id, element, slots: slotsOf(element), title: labelOf(element), codes, identifiers };
}

export function readLink(element: Element): Link {
  return {
    type: element.getAttribute('associationType') ?? '',
    source: element.getAttribute('sourceObject') ?? '',
    target: element.getAttribute('targetObject') ?? '',
    slots: slotsOf(element),
  };
}

function classified(element: Element): Classified {
  const slots = slotsOf(element);
  return {
    code: element.getAttribute('nodeRepresentation') ?? '',
    system: slots.get('codingScheme')?.[0] ?? '',
    label: labelOf(element),
    slots,
  };
}

function labelOf(element: Element): string {
  return descend(element, uri.rim, 'Name', 'LocalizedString')?.getAttribute('value') ?? '';
}

export function slotsOf(element: Element): ReadonlyMap<string, readonly string[]> {
  const slots = new Map<string, readonly string[]>();
  for (const slot of children(element, uri.rim, 'Slot')) {
    const name = slot.getAttribute('name') ?? '';
    const list = descend(slot, uri.rim, 'ValueList');
    const values = list === undefined ? [] : children(list, uri.rim, 'Value').map((value) => value.textContent ?? '');
    metadata(
      name !== '' && !slots.has(name) && values.length > 0,
      `slot ${name}: without name, twice or without value`,
    );
    slots.set(name, values);
  }
  return slots;
}
