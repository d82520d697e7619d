/** What a proxy says and what it is told, on a delta-ADS stream; as bytes in `wire.ts`. */
import type { ResourceType } from './snapshot.ts';

export interface DeltaRequest {
  readonly type: ResourceType;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the proxy holds when it connects again: name to version. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** Of the response it answers; '' when it answers none. */
  readonly nonce: string;
  /** Present: refused, in the proxy's words. Nothing else says so (C.1.2). */
  readonly error?: string;
}

export interface DeltaResponse {
  readonly type: ResourceType;
  readonly nonce: string;
  /** Name to version; the bytes are in the snapshot. */
  readonly resources: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}
