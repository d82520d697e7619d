/** Building blocks of the KOS's data set. */
import type { DataSet, Element, LongVr, ShortVr } from './data-set-writer.ts';
import { T } from './tags.ts';

export function text(tag: number, vr: ShortVr | LongVr, value: string): Element {
  return { tag, vr, value };
}

export function sequence(tag: number, items: readonly DataSet[]): Element {
  return { tag, vr: 'SQ', items };
}

export function concept(tag: number, code: string, meaning: string): Element {
  return sequence(tag, [
    [text(T.codeValue, 'SH', code), text(T.codingSchemeDesignator, 'SH', 'DCM'), text(T.codeMeaning, 'LO', meaning)],
  ]);
}

/** Universal entity: an OID and its type (PS3.3 §10.14). */
export function entity(tag: number, oid: string): Element {
  return sequence(tag, [[text(T.universalEntityId, 'UT', oid), text(T.universalEntityIdType, 'CS', 'ISO')]]);
}
