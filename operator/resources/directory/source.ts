/** The watched directory as a source of resources: read, judged, remembered, and looked at again when it changes. */
import { randomUUID } from 'node:crypto';
import { type FSWatcher, existsSync, readFileSync, watch } from 'node:fs';
import type { Definitions } from '../../api/schema.ts';
import type { Resource } from '../../api/validate.ts';
import { writeFileAtomically } from '../../infrastructure/host/files.ts';
import { type Inventory, type KeyedData, keyOf } from '../inventory.ts';
import { type Accepted, type FileFault, accept } from './accept.ts';
import { type DirectoryContent, readDirectory } from './read.ts';

export interface Snapshot {
  readonly inventory: Inventory;
  readonly faults: readonly FileFault[];
}

export interface DirectorySource {
  /** The resources in force now. @throws Error when the directory can't be read: keep what you have */
  read(): Snapshot;
  close(): void;
}

export interface DirectorySourceOptions {
  readonly directory: string;
  readonly definitions: Definitions;
  /** Remembers what was accepted, Secrets included: last good versions and immutable fields survive a restart. */
  readonly acceptedFile: string;
  readonly now: () => Date;
  /** Told after the directory has been quiet for `quietMs`, and every `rescanMs` (inotify misses network folders). */
  readonly onChange: () => void;
  /** Told when watching fails; rescans go on. */
  readonly onWatchError: (error: Error) => void;
  readonly quietMs?: number;
  readonly rescanMs?: number;
}

export function openDirectory(options: DirectorySourceOptions): DirectorySource {
  let accepted = readAccepted(options.acceptedFile);
  let quiet: NodeJS.Timeout | undefined;
  const changed = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(options.onChange, options.quietMs ?? 200);
  };
  const rescan = setInterval(options.onChange, options.rescanMs ?? 10_000);
  const watcher = startWatching(options, changed);
  return {
    read() {
      const content = readDirectory(options.directory);
      const outcome = accept({
        definitions: options.definitions,
        files: content.files,
        before: accepted,
        now: options.now().toISOString(),
        newUid: randomUUID,
      });
      const text = JSON.stringify(outcome.accepted);
      if (text !== JSON.stringify(accepted)) writeFileAtomically(options.acceptedFile, text, { secret: true });
      accepted = outcome.accepted;
      return { inventory: toInventory(accepted, content), faults: outcome.faults };
    },
    close() {
      clearTimeout(quiet);
      clearInterval(rescan);
      watcher?.close();
    },
  };
}

function startWatching(options: DirectorySourceOptions, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(options.directory, { recursive: true }, changed);
    watcher.on('error', options.onWatchError);
    return watcher;
  } catch (error) {
    // Out of inotify watches, or a file system without them: the rescan remains.
    options.onWatchError(error instanceof Error ? error : new Error(String(error)));
    return undefined;
  }
}

/** What was accepted last; nothing when no operator ever ran there. */
export function readAccepted(file: string): readonly Accepted[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly Accepted[]) : [];
}

export function toInventory(accepted: readonly Accepted[], content: DirectoryContent): Inventory {
  const resources = accepted.map(({ resource }) => resource);
  const ofKind = <K extends Resource['kind']>(kind: K): Extract<Resource, { readonly kind: K }>[] =>
    resources.filter((resource): resource is Extract<Resource, { readonly kind: K }> => resource.kind === kind);
  const plain = (texts: Readonly<Record<string, string>> = {}, encoding: 'utf8' | 'base64' = 'utf8'): KeyedData =>
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text, encoding)]));
  return {
    trustSpaces: ofKind('TrustSpace'),
    sites: ofKind('DrimboxSite'),
    links: ofKind('PacsLink'),
    // A Secret written as YAML wins over a folder of the same name.
    secrets: new Map([
      ...content.secrets,
      ...ofKind('Secret').map((s) => [keyOf(s), { ...plain(s.data, 'base64'), ...plain(s.stringData) }] as const),
    ]),
    configMaps: new Map([
      ...content.configMaps,
      ...ofKind('ConfigMap').map((c) => [keyOf(c), { ...plain(c.binaryData, 'base64'), ...plain(c.data) }] as const),
    ]),
  };
}
