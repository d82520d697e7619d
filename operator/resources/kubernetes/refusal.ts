/** What an API server's error means to whoever wanted an object to be so. */
import { KubeError } from './kube-error.ts';

export type Refusal = 'conflict' | 'immutable' | 'refused' | 'invalid' | 'forbidden' | 'terminating' | 'absent';

interface Rule {
  readonly refusal: Refusal;
  readonly status?: readonly number[];
  readonly cause?: string;
  readonly words?: RegExp;
}

/** First match counts. Statuses that may pass (429, 5xx) and 401 match nothing: they are thrown, to be tried again. */
const rules: readonly Rule[] = [
  // A webhook's or policy's no, whatever status its author chose. "failed calling webhook" is not one: it may pass.
  {
    refusal: 'refused',
    words: /admission webhook ".*" denied the request|ValidatingAdmissionPolicy '.*' .*denied request/,
  },
  { refusal: 'terminating', status: [403], cause: 'NamespaceTerminating' },
  { refusal: 'forbidden', status: [403] },
  { refusal: 'absent', status: [404] },
  { refusal: 'conflict', status: [409], cause: 'FieldManagerConflict' },
  {
    refusal: 'immutable',
    status: [422],
    words: /immutable|updates to .* are forbidden|may not be changed|cannot be changed/i,
  },
  // Server-side apply of a field that the kind does not have was a 500 for years.
  { refusal: 'invalid', status: [400, 413, 422, 500], words: /field not declared in schema/ },
  { refusal: 'invalid', status: [400, 405, 413, 415, 422] },
];

/** @returns undefined for what may succeed later, or is no answer of the API server at all */
export function refusalOf(
  error: unknown,
): { readonly outcome: Refusal; readonly message: string; readonly fields: readonly string[] } | undefined {
  if (!(error instanceof KubeError)) return undefined;
  const causes = error.details.causes ?? [];
  const rule = rules.find(
    ({ status, cause, words }) =>
      (status === undefined || status.includes(error.status)) &&
      (cause === undefined || causes.some(({ reason }) => reason === cause)) &&
      (words === undefined || words.test(error.message)),
  );
  if (rule === undefined) return undefined;
  const fields = causes.flatMap(({ field }) => (field === undefined ? [] : [field]));
  return { outcome: rule.refusal, message: error.message, fields };
}
