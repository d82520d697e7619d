/** Documents fetched now and then (CRLs, the whitelist): kept on disk, the last good one stays when a source is silent. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../infrastructure/host/files.ts';

/** Beyond it a document is refused: the whitelist of the whole country is about 1 MB. */
const maxBytes = 32 * 1024 * 1024;
/** Wait before a failed source is asked again. */
const retryMs = 300_000;

export interface Fetched {
  /** The last document had, if ever. */
  readonly bytes?: Buffer;
  /** RFC 3339 of that. */
  readonly fetchedAt?: string;
  /** Why the latest attempt failed; absent when it succeeded. */
  readonly error?: string;
}

interface Memory {
  readonly url: string;
  readonly fetchedAt?: string;
  readonly attemptedAt: string;
  readonly error?: string;
}

export interface Fetcher {
  /**
   * What is on disk now. When `refreshMs` have passed since the last success (or a little after a failure), a download begins
   * and `onFetched` tells its end: nobody waits for a slow source.
   */
  get(url: string, refreshMs: number, now: Date): Fetched;
  /** The next look downloads again, whatever was had before (DB.CS.147: manual refresh). */
  refresh(): void;
  /** Downloads under way, ended or not. */
  settled(): Promise<void>;
}

/** @param folder where documents are kept, one pair of files per url */
export function openFetcher(folder: string, onFetched: () => void): Fetcher {
  const fileOf = (url: string): string => join(folder, createHash('sha256').update(url).digest('hex').slice(0, 24));
  const underway = new Map<string, Promise<void>>();
  /** Asked again since the last `refresh`. */
  let asked = new Set<string>();
  let all = false;
  const load = async (url: string, file: string, former: Memory | undefined, now: Date): Promise<void> => {
    const outcome = await download(url);
    const next: Memory = {
      url,
      attemptedAt: now.toISOString(),
      ...('bytes' in outcome
        ? { fetchedAt: now.toISOString() }
        : { error: outcome.error, ...(former?.fetchedAt === undefined ? {} : { fetchedAt: former.fetchedAt }) }),
    };
    if ('bytes' in outcome) writeFileAtomically(file, outcome.bytes);
    writeFileAtomically(`${file}.json`, JSON.stringify(next));
    underway.delete(url);
    onFetched();
  };
  return {
    get(url, refreshMs, now) {
      const file = fileOf(url);
      const memory = existsSync(`${file}.json`)
        ? (JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Memory)
        : undefined;
      const wanted = memory === undefined || isDue(memory, refreshMs, now) || (all && !asked.has(url));
      if (wanted && !underway.has(url)) {
        asked.add(url);
        underway.set(url, load(url, file, memory, now));
      }
      return memory === undefined ? {} : answer(file, memory);
    },
    refresh() {
      all = true;
      asked = new Set();
    },
    async settled() {
      await Promise.all(underway.values());
    },
  };
}

function isDue(memory: Memory, refreshMs: number, now: Date): boolean {
  const since = now.getTime() - Date.parse(memory.attemptedAt);
  return since >= (memory.error === undefined ? refreshMs : Math.min(refreshMs, retryMs));
}

function answer(file: string, { fetchedAt, error }: Memory): Fetched {
  return {
    ...(fetchedAt === undefined ? {} : { bytes: readFileSync(file), fetchedAt }),
    ...(error === undefined ? {} : { error }),
  };
}

async function download(url: string): Promise<{ readonly bytes: Buffer } | { readonly error: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    if (!response.ok) return { error: `${url} answered ${response.status}` };
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > maxBytes) return { error: `${url} is larger than ${maxBytes} bytes` };
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks) };
  } catch (error) {
    // The network says no in many ways; all mean the same here: keep the last document and try again.
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    return { error: `${url} can't be reached (${error instanceof Error ? error.message : String(error)}${cause})` };
  }
}
