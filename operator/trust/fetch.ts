/** Documents fetched now and then (CRLs, the whitelist): kept, the last good one stays when a source is silent. */
import { createHash } from 'node:crypto';
import type { DocumentStore } from './document-store.ts';

/** Beyond it a document is refused: the whitelist of the whole country is about 1 MB. */
const maxBytes = 32 * 1024 * 1024;
/**
 * Wait before a failed source is asked again: twice as long each time. What fails first is often our own: a network that does not know
 * the new pod yet, a name that is not there yet.
 */
const firstRetryMs = 10_000;
const longestRetryMs = 300_000;
/** Hosts must not all ask at one moment: each asks up to this share of the period early, anew each time. */
const spread = 1 / 24;

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
  /** Failed attempts since the last success. */
  readonly failures?: number;
  /** Share of the period by which this host asks earlier. */
  readonly early?: number;
  /** Validators of the document kept (RFC 9110 §8.8). */
  readonly etag?: string;
  readonly lastModified?: string;
  /** The request that was last honoured. */
  readonly request?: string;
}

export interface Fetcher {
  /**
   * What is kept now. When `refreshMs` have passed since the last success (or 10 s to 5 min after a failure), a download begins
   * and `onFetched` tells its end: nobody waits for a slow source.
   * @param request any text; another than the last time downloads at once (an annotation changed by hand, DB.CS.147)
   */
  get(url: string, refreshMs: number, now: Date, request?: string): Fetched;
  /** The next look downloads again, whatever was had before (DB.CS.147: manual refresh). */
  refresh(): void;
  /** Downloads under way, ended or not. */
  settled(): Promise<void>;
}

/**
 * @param store where documents are kept, a pair per url
 * @param random 0 to 1: spreads the hosts over time
 * @param mayFetch false: only looks at what another replica fetched
 */
export function openFetcher(
  store: DocumentStore,
  onFetched: () => void,
  random: () => number,
  mayFetch: () => boolean = () => true,
): Fetcher {
  const nameOf = (url: string): string => createHash('sha256').update(url).digest('hex').slice(0, 24);
  const underway = new Map<string, Promise<void>>();
  /** Asked again since the last `refresh`. */
  let asked = new Set<string>();
  let all = false;
  const load = async (want: Want, name: string, former: Memory | undefined): Promise<void> => {
    const outcome = await download(want.url, former);
    const next = remember(want, former, outcome, random() * spread);
    if ('bytes' in outcome) store.write(name, outcome.bytes);
    store.write(`${name}.json`, JSON.stringify(next));
    underway.delete(want.url);
    onFetched();
  };
  return {
    get(url, refreshMs, now, request) {
      const name = nameOf(url);
      const kept = store.read(`${name}.json`);
      const memory = kept === undefined ? undefined : (JSON.parse(kept.toString('utf8')) as Memory);
      const anew = request !== undefined && request !== memory?.request;
      const wanted = memory === undefined || anew || isDue(memory, refreshMs, now) || (all && !asked.has(url));
      if (wanted && mayFetch() && !underway.has(url)) {
        asked.add(url);
        underway.set(url, load({ url, now, request }, name, memory));
      }
      return memory === undefined ? {} : answer(memory, store.read(name));
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

interface Want {
  readonly url: string;
  readonly now: Date;
  readonly request: string | undefined;
}

/** A source that says "not modified" confirms what is kept as if it had been sent again. */
function remember({ url, now, request }: Want, former: Memory | undefined, outcome: Outcome, early: number): Memory {
  const attempt = { url, attemptedAt: now.toISOString(), early, ...(request === undefined ? {} : { request }) };
  const { fetchedAt, etag, lastModified } = former ?? {};
  const held = {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
  if ('bytes' in outcome) return { ...attempt, fetchedAt: attempt.attemptedAt, ...outcome.validators };
  if ('error' in outcome) {
    const failures = (former?.failures ?? 0) + 1;
    return { ...attempt, ...held, error: outcome.error, failures, ...(fetchedAt === undefined ? {} : { fetchedAt }) };
  }
  return { ...attempt, ...held, fetchedAt: attempt.attemptedAt };
}

function isDue(memory: Memory, refreshMs: number, now: Date): boolean {
  const since = now.getTime() - Date.parse(memory.attemptedAt);
  const period = refreshMs * (1 - (memory.early ?? 0));
  return since >= (memory.error === undefined ? period : Math.min(period, retryMs(memory.failures ?? 1)));
}

function retryMs(failures: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1));
}

function answer({ fetchedAt, error }: Memory, bytes: Buffer | undefined): Fetched {
  return {
    ...(fetchedAt === undefined || bytes === undefined ? {} : { bytes, fetchedAt }),
    ...(error === undefined ? {} : { error }),
  };
}

type Outcome =
  | { readonly bytes: Buffer; readonly validators: Pick<Memory, 'etag' | 'lastModified'> }
  | { readonly unchanged: true }
  | { readonly error: string };

async function download(url: string, former: Memory | undefined): Promise<Outcome> {
  try {
    // without a document, validators would only bring back nothing
    const held = former?.fetchedAt === undefined ? undefined : former;
    const headers = new Headers();
    if (held?.etag !== undefined) headers.set('if-none-match', held.etag);
    if (held?.lastModified !== undefined) headers.set('if-modified-since', held.lastModified);
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
    if (response.status === 304 && held !== undefined) return { unchanged: true };
    if (!response.ok) return { error: `${url} answered ${response.status}` };
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > maxBytes) return { error: `${url} is larger than ${maxBytes} bytes` };
      chunks.push(chunk);
    }
    const etag = response.headers.get('etag');
    const lastModified = response.headers.get('last-modified');
    return {
      bytes: Buffer.concat(chunks),
      validators: { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) },
    };
  } catch (error) {
    // The network says no in many ways; all mean the same here: keep the last document and try again.
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    return { error: `${url} can't be reached (${error instanceof Error ? error.message : String(error)}${cause})` };
  }
}
