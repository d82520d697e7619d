/** Verifies a signed whitelist in a thread of its own, bounded in time and memory: no list can stop the gateway or the operator. */
import { Worker } from 'node:worker_threads';
// Only what needs no XML: parsers and their WebAssembly live in the thread, and go with it.
import { type WhitelistPolicy, type WhitelistVerdict, largestListBytes } from './whitelist.ts';

export interface VerifierBounds {
  /** A list of 5 000 entries takes one to two seconds. */
  readonly longestMs?: number;
  readonly largestHeapMb?: number;
}

/** @throws Error when no thread can be had: never for a list, however hostile. */
export async function verifyWhitelist(
  bytes: Uint8Array,
  policy: WhitelistPolicy,
  { longestMs = 30_000, largestHeapMb = 1_024 }: VerifierBounds = {},
): Promise<WhitelistVerdict> {
  if (bytes.length > largestListBytes)
    return {
      accepted: false,
      reason: 'TooLarge',
      detail: `${bytes.length} bytes; at most ${largestListBytes} are read`,
    };
  const worker = new Worker(new URL('verify-worker.ts', import.meta.url), {
    workerData: { bytes, policy },
    resourceLimits: { maxOldGenerationSizeMb: largestHeapMb },
  });
  try {
    return await new Promise<WhitelistVerdict>((resolve, reject) => {
      const timer = setTimeout(
        () => resolve({ accepted: false, reason: 'TooSlow', detail: `not verified within ${longestMs} ms` }),
        longestMs,
      );
      worker.once('message', (verdict: WhitelistVerdict) => {
        clearTimeout(timer);
        resolve(verdict);
      });
      worker.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
          resolve({ accepted: false, reason: 'TooLarge', detail: `verifying it takes more than ${largestHeapMb} MiB` });
        else reject(error);
      });
      worker.once('exit', (code) => {
        clearTimeout(timer);
        resolve({ accepted: false, reason: 'VerifierFault', detail: `the verifier ended with ${code} and no verdict` });
      });
    });
  } finally {
    await worker.terminate();
  }
}
