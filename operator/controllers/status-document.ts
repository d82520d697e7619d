/** status.json: what the operator last saw, for `drimbox status` and for whoever watches. */
import { existsSync, readFileSync } from 'node:fs';
import type { KeptEvent } from '../observability/kept-events.ts';
import type { ResourceStatus } from '../plan/status.ts';
import type { FileFault } from '../resources/directory/accept.ts';

export interface ProcessStatus {
  readonly name: string;
  readonly pid?: number;
  readonly running: boolean;
  readonly restarts: number;
}

export interface StatusDocument {
  readonly apiVersion: 'status.drimbox.dev/v1alpha1';
  /** RFC 3339; renewed at least every 10 s while the operator lives. */
  readonly writtenAt: string;
  readonly operatorPid: number;
  readonly resources: readonly ResourceStatus[];
  /** What in the watched directory is not in force, and why. */
  readonly faults: readonly FileFault[];
  readonly processes: readonly ProcessStatus[];
  /** The latest, newest last; absent in what an operator wrote before it kept any. */
  readonly events?: readonly KeptEvent[];
  /** Why the latest round could not be carried out. */
  readonly error?: string;
}

/** undefined when no operator ever ran on this folder. */
export function readStatus(file: string): StatusDocument | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as StatusDocument) : undefined;
}
