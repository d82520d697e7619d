/** State of the simulated DMP: in memory and, before any answer, on disk. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from './names.ts';
import { RegistryRefusal } from './refusals.ts';

export interface DmpEntry {
  readonly entryUuid: string;
  readonly uniqueId: string;
  /** CX of the INS. */
  readonly patientId: string;
  readonly status: Status;
  readonly kind: 'kos' | 'signature';
  readonly mimeType: string;
  readonly submissionSetId: string;
  /** Entry it replaced. */
  readonly replaces?: string;
  /** Masked by the patient: kept, shown to nobody. */
  readonly hidden: boolean;
  readonly typeCode: string;
  readonly creationTime: string;
  readonly serviceStartTime: string;
  readonly eventCodes: readonly string[];
  readonly referenceIds: readonly string[];
  /** SHA-1 of the document. */
  readonly hash: string;
  /** ExtrinsicObject as submitted. */
  readonly xml: string;
}

export interface DmpSubmission {
  readonly uniqueId: string;
  readonly kind: 'publication' | 'replacement' | 'removal';
  readonly patientId: string;
  readonly structure: string;
  /** What it added or took out. */
  readonly entries: readonly string[];
}

interface State {
  readonly entries: readonly DmpEntry[];
  readonly submissions: readonly DmpSubmission[];
}

export interface Registry {
  state(): State;
  byUniqueId(uniqueId: string): DmpEntry | undefined;
  byEntryUuid(entryUuid: string): DmpEntry | undefined;
  document(uniqueId: string): Buffer;
  /** Adds all of it or nothing. */
  add(submission: DmpSubmission, entries: readonly DmpEntry[], documents: ReadonlyMap<string, Buffer>): void;
  change(entryUuid: string, changes: Partial<Pick<DmpEntry, 'status' | 'hidden'>>, submission?: DmpSubmission): void;
}

/** Opens what an earlier life of the simulator left in `directory`. */
export function openRegistry(directory: string): Registry {
  const documents = join(directory, 'documents');
  mkdirSync(documents, { recursive: true });
  const file = join(directory, 'registry.json');
  const empty: State = { entries: [], submissions: [] };
  const held: { state: State } = {
    state: existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as State) : empty,
  };
  const keep = (state: State): void => {
    writeFileSync(`${file}.new`, JSON.stringify(state, null, 2));
    renameSync(`${file}.new`, file);
    held.state = state;
  };
  const find = (matches: (entry: DmpEntry) => boolean): DmpEntry | undefined => held.state.entries.find(matches);
  return {
    state: () => held.state,
    byUniqueId: (uniqueId) => find((entry) => entry.uniqueId === uniqueId),
    byEntryUuid: (entryUuid) => find((entry) => entry.entryUuid === entryUuid),
    document: (uniqueId) => readFileSync(join(documents, uniqueId)),
    add(submission, entries, bytes) {
      for (const [uniqueId, content] of bytes) writeFileSync(join(documents, uniqueId), content);
      const replaced = new Set(entries.flatMap(({ replaces }) => (replaces === undefined ? [] : [replaces])));
      keep({
        entries: [
          ...held.state.entries.map((entry) =>
            replaced.has(entry.entryUuid) ? { ...entry, status: 'deprecated' as const } : entry,
          ),
          ...entries,
        ],
        submissions: [...held.state.submissions, submission],
      });
    },
    change(entryUuid, changes, submission) {
      keep({
        entries: held.state.entries.map((entry) => (entry.entryUuid === entryUuid ? { ...entry, ...changes } : entry)),
        submissions: [...held.state.submissions, ...(submission === undefined ? [] : [submission])],
      });
    },
  };
}

/** @throws RegistryRefusal when the submission set or a document is there already. */
export function refuseDuplicates(registry: Registry, setId: string, documents: ReadonlyMap<string, Buffer>): void {
  for (const [uniqueId, bytes] of documents) {
    const held = registry.byUniqueId(uniqueId);
    if (held === undefined) continue;
    const same = held.kind === 'signature' || held.hash === createHash('sha1').update(bytes).digest('hex');
    throw same
      ? new RegistryRefusal('XDSDuplicateUniqueIdInRegistry', `document ${uniqueId} is registered already`)
      : new RegistryRefusal('XDSNonIdenticalHash', `document ${uniqueId} is registered already with other bytes`);
  }
  if (registry.state().submissions.some(({ uniqueId }) => uniqueId === setId))
    throw new RegistryRefusal('XDSDuplicateUniqueIdInRegistry', `submission set ${setId} is registered already`);
}
