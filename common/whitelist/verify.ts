/** Verifies a signed whitelist in a thread of its own, bounded in time and memory: no list can stop the gateway or the operator. */
import { Worker } from 'node:worker_threads';
import { largestListBytes } from './verify-document.ts';
import type { WhitelistPolicy, WhitelistVerdict } from './whitelist.ts';

/** A list of 5 000 entries takes about a second. */
const longestMs = 30_000;
const largestHeapMb = 1_024;

/** @throws Error when no thread can be had: never for a list, however hostile. */
export async function verifyWhitelist(bytes: Uint8Array, policy: WhitelistPolicy): Promise<WhitelistVerdict> {
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
    });
  } finally {
    await worker.terminate();
  }
}
