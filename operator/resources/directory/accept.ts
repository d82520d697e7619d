/**
 * From the text of the files to the resources in force. Pure: what was accepted before goes in, what is accepted now comes
 * out, with every fault placed. A file with a fault removes nothing: what it held before stays in force until it is whole.
 */
import { createHash } from 'node:crypto';
import { plainDefinitions } from '../../api/plain-kinds.ts';
import { type ApiFault, type Definition, type Definitions, isObject, writePath } from '../../api/schema.ts';
import { type Resource, judge } from '../../api/validate.ts';
import { keyOf } from '../inventory.ts';
import { type YamlDocument, parseDocuments } from './documents.ts';

/** A resource in force and the file it came from. */
export interface Accepted {
  readonly file: string;
  readonly resource: Resource;
}

/** Why something in a file is not in force. */
export interface FileFault {
  /** Relative to the watched directory. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `Kind/NAMESPACE/NAME` as far as it could be read. */
  readonly resource?: string;
  /** `spec.ris[0].name`; empty for the whole document. */
  readonly field: string;
  readonly rule: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Acceptance {
  readonly accepted: readonly Accepted[];
  readonly faults: readonly FileFault[];
}

export interface AcceptInput {
  readonly definitions: Definitions;
  /** Relative file name to text. */
  readonly files: ReadonlyMap<string, string>;
  readonly before: readonly Accepted[];
  /** RFC 3339; becomes creationTimestamp of what is new. */
  readonly now: string;
  readonly newUid: () => string;
}

export function accept(input: AcceptInput): Acceptance {
  const before = new Map(input.before.map((item) => [identity(item.resource), item]));
  const accepted = new Map<string, Accepted>();
  const faults: FileFault[] = [];
  for (const file of [...input.files.keys()].toSorted()) {
    const read = readFile(input, file, before);
    for (const { id, item, place } of read.found) {
      const first = accepted.get(id);
      if (first === undefined) accepted.set(id, item);
      else faults.push({ ...placed(file, place), resource: id, ...twice(first.file) });
    }
    faults.push(...read.faults);
  }
  const broken = new Set(faults.map((fault) => fault.file));
  for (const [id, item] of before)
    if (broken.has(item.file) && input.files.has(item.file) && !accepted.has(id)) accepted.set(id, item);
  return { accepted: [...accepted.values()], faults };
}

/** `Kind/NAMESPACE/NAME`. */
function identity(resource: Resource): string {
  return `${resource.kind}/${keyOf(resource)}`;
}

interface Found {
  readonly id: string;
  readonly item: Accepted;
  readonly place: { readonly line: number; readonly column: number };
}

function readFile(
  input: AcceptInput,
  file: string,
  before: ReadonlyMap<string, Accepted>,
): { readonly found: readonly Found[]; readonly faults: readonly FileFault[] } {
  const parsed = parseDocuments(input.files.get(file) ?? '');
  if (!parsed.ok)
    return {
      found: [],
      faults: parsed.errors.map(({ message, ...place }) => ({
        ...placed(file, place),
        rule: 'yaml',
        message,
        remedy: 'make the file valid YAML',
      })),
    };
  const found: Found[] = [];
  const faults: FileFault[] = [];
  for (const document of parsed.documents) {
    const outcome = readDocument(input, document, before);
    if ('faults' in outcome) faults.push(...outcome.faults.map((fault) => place(file, document, outcome.id, fault)));
    else {
      const item = { file, resource: outcome.resource };
      found.push({ id: identity(outcome.resource), item, place: document.place([]) });
    }
  }
  return { found, faults };
}

function readDocument(
  input: AcceptInput,
  { value }: YamlDocument,
  before: ReadonlyMap<string, Accepted>,
): { readonly resource: Resource } | { readonly id: string | undefined; readonly faults: readonly ApiFault[] } {
  const definition = definitionOf(input.definitions, value);
  if (definition === undefined) {
    const known = [...input.definitions.keys(), ...plainDefinitions.keys()].join(', ');
    const remedy = `make kind one of ${known}, or move the document elsewhere`;
    return { id: undefined, faults: [{ path: ['kind'], rule: 'kind', message: 'is no kind known here', remedy }] };
  }
  const id = nameOf(definition, value);
  const old = before.get(id)?.resource;
  const judgement = judge(definition, value, old);
  if (!judgement.accepted) return { id, faults: judgement.faults };
  return { resource: stamped(judgement.resource, old, input) };
}

function definitionOf(definitions: Definitions, value: unknown): Definition | undefined {
  const kind = isObject(value) ? value['kind'] : undefined;
  return typeof kind === 'string' ? (definitions.get(kind) ?? plainDefinitions.get(kind)) : undefined;
}

/** As far as it can be read, of a document not judged yet. */
function nameOf({ kind, scope }: Definition, value: unknown): string {
  const metadata = isObject(value) && isObject(value['metadata']) ? value['metadata'] : {};
  const word = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
  const name = word(metadata['name'], '?');
  return scope === 'Cluster' ? `${kind}/${name}` : `${kind}/${word(metadata['namespace'], 'default')}/${name}`;
}

/** What a cluster would add: uid, creation time, and a generation that counts changes of the spec. */
function stamped(resource: Resource, old: Resource | undefined, { now, newUid }: AcceptInput): Resource {
  const former = old?.metadata;
  const changed = old === undefined || digest(old) !== digest(resource);
  const metadata = {
    ...resource.metadata,
    uid: former?.uid ?? newUid(),
    creationTimestamp: former?.creationTimestamp ?? now,
    generation: (former?.generation ?? 0) + (changed ? 1 : 0),
  };
  return { ...resource, metadata } as Resource;
}

function digest(resource: Resource): string {
  const { metadata: _, ...rest } = resource;
  return createHash('sha256').update(JSON.stringify(rest)).digest('hex');
}

function place(file: string, document: YamlDocument, id: string | undefined, fault: ApiFault): FileFault {
  return {
    ...placed(file, document.place(fault.path)),
    ...(id === undefined ? {} : { resource: id }),
    field: writePath(fault.path),
    rule: fault.rule,
    message: fault.message,
    remedy: fault.remedy,
  };
}

function placed(
  file: string,
  { line, column }: { readonly line: number; readonly column: number },
): Pick<FileFault, 'file' | 'line' | 'column' | 'field'> {
  return { file, line, column, field: '' };
}

function twice(first: string): Pick<FileFault, 'rule' | 'message' | 'remedy'> {
  return { rule: 'unique', message: `is already described in ${first}`, remedy: 'keep one of the two' };
}

/** One line for a person: `sites.yaml:12:5: PacsLink/default/a spec.db.fqdn: message; what to do`. */
export function writeFault(fault: FileFault): string {
  const subject = [fault.resource, fault.field].filter((part) => part !== undefined && part !== '').join(' ');
  return `${fault.file}:${fault.line}:${fault.column}: ${subject}${subject === '' ? '' : ': '}${fault.message}; ${fault.remedy}`;
}
