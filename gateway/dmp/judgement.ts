/** From an answer to what the saga does with it: pure, by the error table. */
import type { Answer } from './answer.ts';
import { classOf, definitiveStatuses, severest } from './errors.ts';
import type { DmpOutcome } from './submission.ts';

export type Failure = Exclude<DmpOutcome, { readonly kind: 'published' }>;

export type Judgement =
  | { readonly kind: 'done'; readonly objects: readonly string[] }
  | { readonly kind: 'duplicate'; readonly dmpCode: string; readonly detail: string }
  | Failure;

export function judge(answer: Answer): Judgement {
  if (answer.kind === 'fault') {
    const detail = `${answer.code}: ${answer.reason}`;
    // SOAP 1.2 Part 1 §5.4.6: Receiver may succeed later, Sender must not be repeated unchanged
    return answer.receiver
      ? { kind: 'unavailable', detail }
      : { kind: 'refused', code: 'E007', dmpCode: answer.code, detail };
  }
  if (answer.success && answer.errors.length === 0) return { kind: 'done', objects: answer.objects };
  const found = severest
    .map((which) => answer.errors.find(({ code }) => classOf(code) === which))
    .find((error) => error !== undefined);
  if (found === undefined)
    return { kind: 'unavailable', detail: 'the DMP answered neither success nor a reason for failure' };
  const detail = answer.errors.map(({ code, context }) => `${code}: ${context}`).join('; ');
  const dmpCode = found.code;
  const which = classOf(dmpCode);
  if (which === 'technical') return { kind: 'unavailable', detail };
  if (which === 'duplicate') return { kind: 'duplicate', dmpCode, detail };
  return { kind: 'refused', code: which === 'patient' ? 'E006' : 'E007', dmpCode, detail };
}

/** An HTTP answer that is no SOAP. */
export function judgeStatus(status: number, detail: string): Failure {
  return definitiveStatuses.has(status)
    ? { kind: 'refused', code: 'E007', dmpCode: `HTTP ${status}`, detail: `HTTP ${status}: ${detail}` }
    : { kind: 'unavailable', detail: `HTTP ${status}: ${detail}` };
}
