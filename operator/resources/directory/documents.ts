/** Multi-document YAML as values with the place of every field. Pure. */
import { type Document, LineCounter, isMap, isNode, isPair, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { FieldPath } from '../../api/schema.ts';

export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument {
  readonly value: unknown;
  /** Where a field stands; of a field that is absent, where its nearest parent does. */
  place(path: FieldPath): Place;
}

export type ParsedFile =
  | { readonly ok: true; readonly documents: readonly YamlDocument[] }
  /** Not YAML: nothing of the file can be trusted. */
  | { readonly ok: false; readonly errors: readonly (Place & { readonly message: string })[] };

/** Empty documents are left out. A key given twice is an error, as kubectl's strict validation has it. */
export function parseDocuments(text: string): ParsedFile {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  // An empty text gives an empty list that carries other fields.
  const list = Array.isArray(documents) ? (documents as readonly Document[]) : [];
  const errors = list.flatMap((document) =>
    document.errors.map((error) => ({ ...toPlace(lines, error.pos[0]), message: error.message })),
  );
  if (errors.length > 0) return { ok: false, errors };
  const present = list.filter((document) => document.contents !== null && !isEmptyScalar(document.contents));
  try {
    const read = present.map((document) => ({
      value: document.toJS({ maxAliasCount: 100 }) as unknown,
      place: (path: FieldPath) => toPlace(lines, offset(document, path)),
    }));
    return { ok: true, documents: read };
  } catch (error) {
    // The library refuses a document that multiplies itself by aliases.
    return {
      ok: false,
      errors: [{ line: 1, column: 1, message: error instanceof Error ? error.message : String(error) }],
    };
  }
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.value === null;
}

function toPlace(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function offset(document: Document, path: FieldPath): number {
  let node: unknown = document.contents;
  let found = startOf(node) ?? document.range?.[0] ?? 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (pair === undefined) return found;
      found = startOf(pair.key) ?? found;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      found = startOf(node) ?? found;
    } else return found;
  }
  return found;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
