/** One request to the DMP and what its answer means. Nothing that happens on the way is thrown: it is an outcome. */
import { type Dispatcher, request } from 'undici';
import { readAnswer } from './answer.ts';
import { type Failure, judge, type Judgement, judgeStatus } from './judgement.ts';
import { AnswerUnreadable } from './multipart-answer.ts';
import type { PreparedRequest } from './prepare.ts';

export interface Exchange {
  readonly dispatcher: Dispatcher;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** An answer to us is a status and some ids. */
export const LONGEST_ANSWER = 4 << 20;

export async function exchange(
  prepared: PreparedRequest,
  { dispatcher, timeoutMs, signal }: Exchange,
): Promise<Judgement> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const received = await send(
    prepared,
    dispatcher,
    signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  );
  if ('kind' in received) return received;
  const { status, contentType, body } = received;
  try {
    // SOAP 1.2 Part 2 §7.5.2: faults come with 400 or 500, so the body speaks before the status
    const judgement = judge(readAnswer(contentType, body, prepared.messageId));
    return judgement.kind === 'done' && status !== 200 ? judgeStatus(status, 'a success with this status') : judgement;
  } catch (error) {
    if (!(error instanceof AnswerUnreadable)) throw error;
    return status === 200 ? { kind: 'unavailable', detail: error.message } : judgeStatus(status, error.message);
  }
}

interface Received {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

async function send(
  prepared: PreparedRequest,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<Received | Failure> {
  try {
    const response = await request(prepared.url, {
      method: 'POST',
      headers: { 'content-type': prepared.contentType, accept: 'application/soap+xml, multipart/related' },
      body: prepared.body,
      dispatcher,
      signal,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response.body) {
      const bytes = Buffer.from(chunk as Uint8Array);
      length += bytes.length;
      if (length > LONGEST_ANSWER) throw new Error(`the answer is longer than ${LONGEST_ANSWER} bytes`);
      chunks.push(bytes);
    }
    const type = response.headers['content-type'];
    return {
      status: response.statusCode,
      contentType: typeof type === 'string' ? type : '',
      body: Buffer.concat(chunks),
    };
  } catch (error) {
    // refused, reset, timed out, aborted, untrusted certificate: the DMP may have taken it or not, a retry will tell
    return { kind: 'unavailable', detail: `${prepared.url}: ${reasonOf(error)}` };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors.map(reasonOf).join(', ') : '';
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code} ` : '';
  return [`${code}${error.message}`.trim(), inner].filter((part) => part !== '').join(': ') || error.name;
}
