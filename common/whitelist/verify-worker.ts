/** The thread behind `verifyWhitelist`: one list, one verdict. */
import { parentPort, workerData } from 'node:worker_threads';
import { verifyDocument } from './verify-document.ts';
import type { WhitelistPolicy } from './whitelist.ts';

const { bytes, policy } = workerData as { readonly bytes: Uint8Array; readonly policy: WhitelistPolicy };
parentPort?.postMessage(await verifyDocument(bytes, policy));
