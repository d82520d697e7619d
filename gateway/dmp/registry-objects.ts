/** Pieces of ebRIM 3.0 in the order its schema wants: Slot, Name, Description, Classification, ExternalIdentifier. */
import { element, type Xml } from '../../common/signature/xml-writer.ts';
import type { Code } from '../domain.ts';

/** Ids are unique in a message and the same each time it is written. */
export type NextId = (prefix: string) => string;

export function countingIds(): NextId {
  const count = { made: 0 };
  return (prefix) => `${prefix}${(count.made += 1)}`;
}

/** @returns nothing when there is no value: ebRIM wants none then. */
export function slot(name: string, values: readonly string[]): Xml | undefined {
  return values.length === 0
    ? undefined
    : element(
        'rim:Slot',
        { name },
        element(
          'rim:ValueList',
          {},
          values.map((value) => element('rim:Value', {}, value)),
        ),
      );
}

export function localized(name: 'rim:Name' | 'rim:Description', value: string): Xml {
  return element(name, {}, element('rim:LocalizedString', { charset: 'UTF-8', 'xml:lang': 'fr-FR', value }));
}

export function classification(nextId: NextId, object: string, scheme: string, code: Code): Xml {
  return element(
    'rim:Classification',
    {
      id: nextId('cla'),
      classificationScheme: scheme,
      classifiedObject: object,
      nodeRepresentation: code.code,
    },
    slot('codingScheme', [code.system]),
    localized('rim:Name', code.label),
  );
}

/** An author has no code: nodeRepresentation is empty, what it says is in slots. */
export function author(nextId: NextId, object: string, scheme: string, slots: readonly (Xml | undefined)[]): Xml {
  return element(
    'rim:Classification',
    { id: nextId('cla'), classificationScheme: scheme, classifiedObject: object, nodeRepresentation: '' },
    slots,
  );
}

export function externalIdentifier(nextId: NextId, object: string, scheme: string, name: string, value: string): Xml {
  return element(
    'rim:ExternalIdentifier',
    { id: nextId('ei'), registryObject: object, identificationScheme: scheme, value },
    localized('rim:Name', name),
  );
}

export function association(
  nextId: NextId,
  type: string,
  source: string,
  target: string,
  slots: readonly (Xml | undefined)[] = [],
): Xml {
  return element(
    'rim:Association',
    { id: nextId('as'), associationType: type, sourceObject: source, targetObject: target },
    slots,
  );
}
