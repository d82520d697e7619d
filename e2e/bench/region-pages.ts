/** What a running operator says of itself on its metrics page, looked at now and then: peaks are those of the whole time watched. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Series with its labels, as printed, to its value. */
export type Page = ReadonlyMap<string, number>;

export interface Peaks {
  /** Longest time in which nothing else had its turn, ms by the clock. */
  readonly blockMs: number;
  /** Longest of those times as the thread's own computing: what others took of the processor is not in it. */
  readonly ownBlockMs: number;
  readonly rssBytes: number;
}

export interface Pages {
  read(): Promise<Page>;
  /** Without beginning anew. */
  peek(): Promise<Peaks>;
  /** Since the watch began or the last call. */
  peaks(): Promise<Peaks>;
  stop(): Promise<void>;
}

/** As often as a Prometheus that is asked to look closely: a page with a line for each condition costs its time too. */
const everyMs = 10_000;

const noPeaks: Peaks = { blockMs: 0, ownBlockMs: 0, rssBytes: 0 };

export function watchPages(port: number, pid: number): Pages {
  const stopping = new AbortController();
  let worst: Peaks = noPeaks;
  const read = async (): Promise<Page> => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    const page = parsePage(await answer.text());
    // The gauge begins anew with each look: nobody else may look.
    const blockMs = (of: string): number =>
      Math.round((page.get(`drimbox_loop_block_seconds{of="${of}"}`) ?? 0) * 1000);
    worst = {
      blockMs: Math.max(worst.blockMs, blockMs('clock')),
      ownBlockMs: Math.max(worst.ownBlockMs, blockMs('thread')),
      rssBytes: Math.max(worst.rssBytes, residentBytes(pid)),
    };
    return page;
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await read().catch(() => undefined); // killed or stopped on purpose: whoever needs a page asks for it
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined); // told to stop
    }
  };
  const running = loop();
  return {
    read,
    async peek() {
      await read();
      return worst;
    },
    async peaks() {
      await read();
      const found = worst;
      worst = noPeaks;
      return found;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

export function parsePage(text: string): Page {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/i.exec(line);
    if (match?.[1] !== undefined) found.set(match[1], Number(match[2]));
  }
  return found;
}

/** Requests to the API server by method and resource; watches and the Lease, which go on for ever, left out. */
export function requestsIn(page: Page): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [series, value] of page) {
    if (!series.startsWith('rest_client_requests_total{')) continue;
    const [method, resource] = ['method', 'resource'].map((name) => new RegExp(`${name}="([^"]*)"`).exec(series)?.[1]);
    if (resource === 'leases' || method === 'watch' || method === undefined) continue;
    const key = `${method} ${resource ?? ''}`;
    found.set(key, (found.get(key) ?? 0) + value);
  }
  return found;
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

const reading = /^(GET|get|list|watch) /;

export function writesIn(page: Page): number {
  return sum([...requestsIn(page)].filter(([key]) => !reading.test(key)).map(([, value]) => value));
}

export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return kilobytes === undefined ? 0 : Number(kilobytes) * 1024;
}
