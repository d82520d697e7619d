/** A C-FIND response as values: text decoded by its own SpecificCharacterSet, numbers and UIDs parsed or absent. */
import { type Uid, parseUid } from '../../domain.ts';
import { textDecoder } from './character-sets.ts';
import { type DataSet, readDataSet } from './data-set.ts';
import { tags } from './tags.ts';

export interface Identifier {
  /** Trimmed; empty when absent. */
  text(tag: number): string;
  /** Values of a multi-valued UI. */
  uids(tag: number): Uid[];
  uid(tag: number): Uid | undefined;
  /** IS, undefined when absent or not an integer. */
  integer(tag: number): number | undefined;
  items(tag: number): Identifier[];
}

/** @throws DataSetError, CharacterSetError */
export function readIdentifier(bytes: Buffer, explicit: boolean): Identifier {
  const dataSet = readDataSet(bytes, explicit);
  return view(dataSet, textDecoder(ascii(dataSet, tags.specificCharacterSet)));
}

function view(dataSet: DataSet, decode: (bytes: Buffer) => string): Identifier {
  const uids = (tag: number): Uid[] =>
    ascii(dataSet, tag)
      .split('\\')
      .map(parseUid)
      .filter((uid) => uid !== undefined);
  return {
    text: (tag) => trim(decode(dataSet.get(tag)?.value ?? Buffer.alloc(0))),
    uids,
    uid: (tag) => uids(tag)[0],
    integer(tag) {
      const text = ascii(dataSet, tag);
      return /^[+-]?\d{1,11}$/.test(text) ? Number(text) : undefined;
    },
    // An item may declare its own character set (PS3.5 §7.5.3); without it the parent's holds.
    items: (tag) =>
      (dataSet.get(tag)?.items ?? []).map((item) =>
        view(item, item.has(tags.specificCharacterSet) ? textDecoder(ascii(item, tags.specificCharacterSet)) : decode),
      ),
  };
}

function ascii(dataSet: DataSet, tag: number): string {
  return trim(dataSet.get(tag)?.value.toString('latin1') ?? '');
}

function trim(text: string): string {
  return text.replace(/^ +|[\0 ]+$/g, '');
}
