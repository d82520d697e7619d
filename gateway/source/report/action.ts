/** What the message asks for: initial, replacement or deletion, in the order of ci-sis §2.2 since samples contradict themselves. */
import type { ReportAction } from './report.ts';

export interface ActionSigns {
  /** MSH-9.2. */
  readonly event: string;
  /** ORC-1. */
  readonly orderControl: string;
  /** OBX-11 of the documents. */
  readonly statuses: readonly string[];
  /** The CDA has relatedDocument RPLC. */
  readonly replaces: boolean;
  readonly version: number;
}

interface Sign {
  readonly action: ReportAction;
  readonly why: string;
  readonly holds: (signs: ActionSigns) => boolean;
}

/** First sign that holds decides. A CDA id known to the archive is a re-send: only the archive can tell (ci-sis §2.2, step 3). */
const SIGNS: readonly Sign[] = [
  { action: 'deletion', why: 'MSH-9.2 is T04', holds: ({ event }) => event === 'T04' },
  { action: 'deletion', why: 'OBX-11 is D', holds: ({ statuses }) => statuses.includes('D') },
  { action: 'deletion', why: 'ORC-1 is CA', holds: ({ orderControl }) => orderControl === 'CA' },
  { action: 'replacement', why: 'MSH-9.2 is T10', holds: ({ event }) => event === 'T10' },
  { action: 'replacement', why: 'OBX-11 is C', holds: ({ statuses }) => statuses.includes('C') },
  { action: 'replacement', why: 'ORC-1 is RO', holds: ({ orderControl }) => orderControl === 'RO' },
  { action: 'replacement', why: 'the CDA has relatedDocument RPLC', holds: ({ replaces }) => replaces },
  { action: 'replacement', why: 'the CDA versionNumber is over 1', holds: ({ version }) => version > 1 },
];

export interface ActionDecision {
  readonly action: ReportAction;
  readonly why: string;
}

export function decideAction(signs: ActionSigns): ActionDecision {
  const decisive = SIGNS.find(({ holds }) => holds(signs));
  return decisive ?? { action: 'initial', why: 'nothing says replacement or deletion' };
}
