/** One client of the API server: pooled connections, JSON both ways, pacing, time-outs and safe retries. */
import type { KubeAccess } from './access.ts';
import type { KubeObject } from './resource-kind.ts';
import type { KubeStatus } from './kube-error.ts';

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

export declare function createKubeClient(options: KubeClientOptions): KubeClient;
export { KubeError, type KubeStatus } from './kube-error.ts';
export * from './resource-kind.ts';
