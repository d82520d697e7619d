/** Whether a request that failed is sent again, and when. */
import { KubeError } from './kube-error.ts';

/** Attempts in all. */
const attempts = 4;
const firstMs = 100;
const longestMs = 5_000;
/** A longer wait is the caller's: it has a queue, and knows from the error how long. */
const longestAskedMs = 30_000;

/** Statuses that may pass by themselves. */
const passing = new Set([429, 500, 502, 503, 504]);
/** Connection failures, as undici and the kernel name them. */
const broken = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);

/** No answer within the time a request has. */
export class KubeTimeout extends Error {
  override readonly name = 'KubeTimeout';
}

/**
 * Sending it twice does what sending it once does: reads, server-side apply, deletes bound to one uid.
 * A PUT bound to a resourceVersion is not: after a lost answer the second one is told Conflict by its own first.
 */
export function isRepeatable(request: {
  readonly method: string;
  readonly contentType?: string;
  readonly body?: unknown;
}): boolean {
  if (request.method === 'GET') return true;
  if (request.method === 'PATCH') return (request.contentType ?? applyPatch) === applyPatch;
  if (request.method !== 'DELETE') return false;
  const options = request.body as { readonly preconditions?: { readonly uid?: string } } | undefined;
  return options?.preconditions?.uid !== undefined;
}

export const applyPatch = 'application/apply-patch+yaml';

/**
 * Milliseconds to wait before the next attempt, or undefined: no further one.
 * @param attempt 1 for the first that failed
 * @param random 0 to 1
 */
export function retryDelay(error: unknown, attempt: number, random: () => number): number | undefined {
  if (attempt >= attempts || !maySucceedLater(error)) return undefined;
  const asked = error instanceof KubeError ? error.retryAfterMs : undefined;
  // All who were refused at one moment must not come back at one moment.
  if (asked !== undefined) return asked > longestAskedMs ? undefined : asked * (1 + random() / 4);
  return Math.min(longestMs, firstMs * 2 ** (attempt - 1)) * (0.5 + random());
}

/** The failure says nothing against the request itself. */
export function maySucceedLater(error: unknown): boolean {
  if (error instanceof KubeError) return passing.has(error.status);
  if (error instanceof KubeTimeout) return true;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && broken.has(error.code);
}
