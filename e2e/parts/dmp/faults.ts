/** Trouble on demand, told by a file so that another process can ask for it too. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type FaultKind =
  /** HTTP 503 without SOAP. */
  | 'unavailable'
  /** XDSRepositoryBusy or XDSRegistryBusy inside a 200. */
  | 'busy'
  /** Answers after `delayMs`. */
  | 'slow'
  /** Cuts the connection before it did anything. */
  | 'drop-before'
  /** Does what was asked, then cuts the connection: the client can't know. */
  | 'drop-after'
  /** 200 with a definitive failure inside. */
  | 'failure-inside'
  /** XDSUnknownPatientId. */
  | 'unknown-patient';

export interface Fault {
  readonly kind: FaultKind;
  /** Requests it meets; for ever when absent. */
  readonly times?: number;
  readonly delayMs?: number;
  /** Only this operation, e.g. ITI-41. */
  readonly operation?: string;
}

const fileOf = (directory: string): string => join(directory, 'fault.json');

/** Asks for trouble, or for its end. */
export function setFault(directory: string, fault: Fault | undefined): void {
  if (fault === undefined) rmSync(fileOf(directory), { force: true });
  else writeFileSync(fileOf(directory), JSON.stringify(fault));
}

/** @returns the fault this request meets, counted down. */
export function takeFault(directory: string, operation: string): Fault | undefined {
  if (!existsSync(fileOf(directory))) return undefined;
  const fault = JSON.parse(readFileSync(fileOf(directory), 'utf8')) as Fault;
  if (fault.operation !== undefined && fault.operation !== operation) return undefined;
  if (fault.times !== undefined)
    setFault(directory, fault.times > 1 ? { ...fault, times: fault.times - 1 } : undefined);
  return fault;
}
