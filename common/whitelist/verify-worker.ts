/** The thread behind `verifyWhitelist`: one list, one verdict. */
import { parentPort, workerData } from 'node:worker_threads';
import { verifyDocument } from './verify-document.ts';
import type { WhitelistPolicy, WhitelistVerdict } from './whitelist.ts';

const { bytes, policy } = workerData as { readonly bytes: Uint8Array; readonly policy: WhitelistPolicy };

async function verdict(): Promise<WhitelistVerdict> {
  try {
    return await verifyDocument(bytes, policy);
  } catch (error) {
    // A parser that gives up in a way it never told us of: not verified is all that matters, and why goes into the journal.
    return {
      accepted: false,
      reason: 'VerifierFault',
      detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    };
  }
}

parentPort?.postMessage(await verdict());
