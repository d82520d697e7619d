/** One client of the API server: pooled connections, JSON both ways, pacing, time-outs and safe retries. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeAccess } from './access.ts';
import { createPool } from './connection.ts';
import { createJsonLines } from './json-lines.ts';
import { KubeError, kubeError, type KubeStatus } from './kube-error.ts';
import { createPacer } from './pace.ts';
import { requestName, type RequestName } from './request-name.ts';
import type { KubeObject } from './resource-kind.ts';
import { applyPatch, isRepeatable, KubeTimeout, retryDelay } from './retry.ts';

export { KubeError, type KubeStatus } from './kube-error.ts';
export * from './resource-kind.ts';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From pathOf. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** `application/json`, or for PATCH `application/apply-patch+yaml` unless told. */
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Of each attempt, from sending to the last byte; 30 s unless told. */
  readonly timeoutMs?: number;
  /** Never paced and never behind others in the pool: the renewal of the lease. */
  readonly urgent?: boolean;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: KubeObject }
  | { readonly type: 'ERROR'; readonly object: KubeStatus };

export interface ObservedRequest {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`. */
  readonly verb: string;
  /** Plural of the kind, with its subresource: `drimboxsites/status`. */
  readonly resource: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly seconds: number;
}

export interface KubeClientOptions {
  readonly access: KubeAccess;
  /** Requests per second that are not urgent; 50 unless told. */
  readonly qps?: number;
  /** How many may go at once after a silence; 100 unless told. */
  readonly burst?: number;
  /** Connections for requests; watches and urgent requests have their own. 8 unless told. */
  readonly connections?: number;
  readonly userAgent?: string;
  /** Called for every attempt, for metrics. */
  readonly onRequest?: (observed: ObservedRequest) => void;
  /** Time, in ms, that never goes back; and numbers from 0 to 1. */
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

export interface KubeClient {
  readonly access: KubeAccess;
  /** @throws KubeError for every status from 400 on; Error when there was no answer */
  request<T>(request: KubeRequest): Promise<T>;
  /**
   * One watch request: ends when the server ends it. Not paced, not retried.
   * @throws KubeError when refused; Error when the connection breaks or a line is not JSON
   */
  watch(
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>>,
    signal: AbortSignal,
    accept?: string,
  ): AsyncIterable<WatchEvent>;
  close(): Promise<void>;
}

const defaultTimeoutMs = 30_000;

/** @see KubeClient */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { access, qps = 50, burst = 100, connections = 8, userAgent = 'drimbox-operator' } = options;
  const nowMs = options.nowMs ?? (() => performance.now());
  const random = options.random ?? Math.random;
  const pacer = createPacer(qps, burst, nowMs);
  const pool = createPool(access, connections);
  // Watches hold a connection each for minutes, and the lease must not queue behind requests that hang.
  const ownPool = createPool(access);

  const headers = async (request: { readonly accept?: string | undefined }): Promise<Record<string, string>> => {
    const authorization = await access.authorization();
    return {
      accept: request.accept ?? 'application/json',
      'user-agent': userAgent,
      ...(authorization === undefined ? {} : { authorization }),
    };
  };

  const observe = (name: RequestName, startedAt: number, status: number): void =>
    options.onRequest?.({ ...name, status, seconds: (nowMs() - startedAt) / 1000 });

  const attempt = async (request: KubeRequest): Promise<unknown> => {
    const { method, path, body, timeoutMs = defaultTimeoutMs } = request;
    const contentType = request.contentType ?? (method === 'PATCH' ? applyPatch : 'application/json');
    const name = requestName(method, path, contentType);
    const words = `${method} ${path}`;
    const limit = timeLimit(words, timeoutMs, request.signal);
    const startedAt = nowMs();
    let status = 0;
    try {
      const answer = await (request.urgent === true ? ownPool : pool).request({
        method,
        path: withQuery(path, request.query),
        headers: { ...(await headers(request)), ...(body === undefined ? {} : { 'content-type': contentType }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: limit.signal,
      });
      const text = await answer.body.text();
      status = answer.statusCode;
      if (status >= 400) throw kubeError(words, status, text, headerOf(answer.headers, 'retry-after'), Date.now());
      return parseAnswer(words, text);
    } finally {
      limit.end();
      observe(name, startedAt, status);
    }
  };

  return {
    access,
    async request<T>(request: KubeRequest): Promise<T> {
      const repeatable = request.urgent !== true && isRepeatable(request);
      let signedInAgain = false;
      for (let count = 1; ; count += 1) {
        if (request.urgent !== true) await pacer.take(request.signal);
        try {
          return (await attempt(request)) as T;
        } catch (error) {
          request.signal?.throwIfAborted();
          // Refused before anything was done: any request may be repeated, once, with a newer token.
          if (error instanceof KubeError && error.status === 401 && !signedInAgain) {
            signedInAgain = true;
            access.refused();
            continue;
          }
          const delay = repeatable ? retryDelay(error, count, random) : undefined;
          if (delay === undefined) throw error;
          await sleep(delay, undefined, request.signal === undefined ? {} : { signal: request.signal });
        }
      }
    },
    async *watch(path, query, signal, accept) {
      const words = `WATCH ${path}`;
      const name = requestName('GET', path, undefined, true);
      const startedAt = nowMs();
      const limit = timeLimit(words, defaultTimeoutMs, signal);
      let status = 0;
      try {
        const answer = await ownPool.request({
          method: 'GET',
          path: withQuery(path, { ...query, watch: true }),
          headers: await headers({ accept }),
          signal: limit.signal,
        });
        status = answer.statusCode;
        if (status >= 400) {
          const text = await answer.body.text();
          if (status === 401) access.refused();
          throw kubeError(words, status, text, headerOf(answer.headers, 'retry-after'), Date.now());
        }
        limit.disarm();
        const lines = createJsonLines();
        for await (const chunk of answer.body) {
          for (const document of lines.push(chunk as Buffer)) yield document as WatchEvent;
        }
        if (lines.pending > 0) throw new Error(`${words}: cut in the middle of a line`);
      } finally {
        limit.end();
        observe(name, startedAt, status);
      }
    },
    async close() {
      await Promise.all([pool.destroy(), ownPool.destroy()]);
    },
  };
}

interface TimeLimit {
  readonly signal: AbortSignal;
  /** No time limit any more; the caller's signal still counts. */
  disarm(): void;
  end(): void;
}

/** Own listener and timer, both taken away at the end: a signal that lives as long as the process must not collect them. */
function timeLimit(words: string, timeoutMs: number, outer: AbortSignal | undefined): TimeLimit {
  const controller = new AbortController();
  const forward = (): void => controller.abort(outer?.reason);
  if (outer?.aborted === true) forward();
  outer?.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(
    () => controller.abort(new KubeTimeout(`${words}: no whole answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  return {
    signal: controller.signal,
    disarm: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', forward);
    },
  };
}

function withQuery(path: string, query: KubeRequest['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

function headerOf(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function parseAnswer(words: string, text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${words}: the answer is not JSON: ${text.slice(0, 80)}`, { cause: error });
  }
}
