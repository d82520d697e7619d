/** What the API server answered instead of what was asked for. */

/** The `Status` object of the API (meta/v1), as far as it is read here. */
export interface KubeStatus {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: KubeStatusDetails;
}

export interface KubeStatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status. */
  readonly status: number;
  /** `NotFound`, `Conflict`, `Invalid`... (meta/v1 StatusReason); '' when the answer was not a Status. */
  readonly reason: string;
  readonly details: KubeStatusDetails;
  /** What the server asks us to wait, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, status: number, rest: Pick<KubeError, 'reason' | 'details' | 'retryAfterMs'>) {
    super(message);
    this.status = status;
    this.reason = rest.reason;
    this.details = rest.details;
    this.retryAfterMs = rest.retryAfterMs;
  }
}

/** @param retryAfter the header as received: seconds, or an HTTP date (RFC 9110 §10.2.3) */
export function kubeError(
  request: string,
  status: number,
  body: string,
  retryAfter: string | undefined,
  nowMs: number,
): KubeError {
  const answer = parseStatus(body);
  const words = answer?.message ?? body.trim().slice(0, 300);
  const fromDetails = answer?.details?.retryAfterSeconds;
  return new KubeError(`${request}: ${status} ${words}`.trimEnd(), status, {
    reason: answer?.reason ?? '',
    details: answer?.details ?? {},
    retryAfterMs: parseRetryAfter(retryAfter, nowMs) ?? (fromDetails === undefined ? undefined : fromDetails * 1000),
  });
}

/** Anything but a Status (a proxy's page, an empty body) is undefined: its text then is the message. */
function parseStatus(body: string): KubeStatus | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(body) as KubeStatus;
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    // Cut short or not JSON after all: the caller gets the text itself.
    return undefined;
  }
}

/** Milliseconds; undefined when absent or unreadable, as RFC 9110 lets a client ignore it. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
