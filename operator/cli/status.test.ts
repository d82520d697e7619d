/** What a person and a script get from `drimbox status`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StatusDocument } from '../controllers/status-document.ts';
import { writeEvents } from './status-events.ts';
import { isGood, showStatus, writeStatus } from './status.ts';

const now = new Date('2026-01-02T00:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'drimbox-status-'));
test.after(() => rmSync(folder, { recursive: true }));

function site(status: 'True' | 'False'): StatusDocument['resources'][number] {
  const condition = (type: string, reason: string, message = '') => ({
    type,
    status,
    reason,
    message,
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  return {
    kind: 'DrimboxSite',
    key: 'ght/nord',
    generation: 1,
    observedGeneration: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    conditions: [
      condition('Ready', 'SomeSilent'),
      condition('PacsReachable', 'SomeSilent', '1 of 2 PACS do not answer'),
    ],
    fields: { pacs: '1/2', certificateExpiry: '2026-06-01T00:00:00.000Z' },
  };
}

function document(more: Partial<StatusDocument> = {}): StatusDocument {
  const base = { apiVersion: 'status.drimbox.dev/v1alpha1' as const, writtenAt: now.toISOString(), operatorPid: 1 };
  return { ...base, resources: [site('True')], faults: [], processes: [], ...more };
}

const fault = {
  file: 'a.yaml',
  line: 3,
  column: 5,
  field: 'spec.x',
  rule: 'unknown',
  message: 'is not a field',
  remedy: 'remove it',
};

test('the table has the columns of the CRD, and says why what is not ready is not', () => {
  const text = writeStatus(document({ resources: [site('False')], faults: [fault] }), now);
  assert.match(text, /NAME\s+READY\s+REASON\s+LISTE-BLANCHE\s+PACS\s+DMP\s+CERT-EXPIRY\s+AGE/);
  assert.match(text, /ght\/nord\s+False\s+SomeSilent\s+-\s+1\/2\s+-\s+2026-06-01\s+24h/);
  assert.match(text, 'DrimboxSite ght/nord: PacsReachable is False, SomeSilent: 1 of 2 PACS do not answer');
  assert.match(text, 'not in force: a.yaml:3:5: spec.x: is not a field; remove it');
});

test('the events stand one a line, newest last, with their count and their first and last time', () => {
  const event = {
    event: 'RoundFailed',
    level: 'error' as const,
    subject: 'operator',
    reason: 'Failed',
    message: 'disk full',
    count: 3,
    firstTime: '2026-01-01T00:00:00.123Z',
    lastTime: '2026-01-02T00:00:00.456Z',
  };
  const [head, first, second, ...more] = writeEvents([event, { ...event, subject: 'other', reason: '' }]).split('\n');
  assert.match(head ?? '', /^LAST\s+COUNT\s+FIRST\s+LEVEL\s+EVENT\s+SUBJECT\s+WHAT$/);
  assert.match(
    first ?? '',
    /^2026-01-02T00:00:00Z +3 +2026-01-01T00:00:00Z +error +RoundFailed +operator +Failed: disk full$/,
  );
  assert.match(second ?? '', /other +disk full$/);
  assert.equal(more, []);
  assert.is(writeEvents([]), 'no events');
});

test('good means: something is there, all of it ready, no fault', () => {
  assert.ok(isGood(document()));
  assert.not.ok(isGood(document({ resources: [] })));
  assert.not.ok(isGood(document({ resources: [site('False')] })));
  assert.not.ok(isGood(document({ faults: [fault] })));
  assert.not.ok(isGood(document({ error: 'x' })));
});

test('the exit code is 0 only when all is ready and the operator runs', () => {
  const quietly = (state: string, at: Date): number => {
    const { log, error } = console;
    console.log = console.error = () => undefined;
    try {
      return showStatus(['--state', state], at);
    } finally {
      console.log = log;
      console.error = error;
    }
  };
  assert.is(quietly(join(folder, 'none'), now), 1);
  writeFileSync(join(folder, 'status.json'), JSON.stringify(document()));
  assert.is(quietly(folder, now), 0);
  assert.is(quietly(folder, new Date(now.getTime() + 60_000)), 1);
  writeFileSync(join(folder, 'status.json'), JSON.stringify(document({ resources: [site('False')] })));
  assert.is(quietly(folder, now), 1);
});

test.run();
