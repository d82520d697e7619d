import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IngressObservation } from '../../plan/observations.ts';
import { type PlanDigest, linkDigestLength } from './plan-digest.ts';
import { type OwnView, combined, readReport, reportObject, reportOf } from './replica-reports.ts';

const good: IngressObservation = {
  status: 'True',
  reason: 'Programmed',
  message: 'every connected proxy acknowledged it',
};
const waits: IngressObservation = { status: 'Unknown', reason: 'NotAcknowledged', message: 'not yet' };
const refused: IngressObservation = { status: 'False', reason: 'RejectedByProxy', message: 'bad PEM' };
const nobody: IngressObservation = { status: 'False', reason: 'NoProxyConnected', message: 'none' };

/** Of a plan in which link-0, link-1, ... are as these words say. */
const digest = (plan: string, ...entries: readonly string[]): PlanDigest => ({
  plan,
  links: new Map(entries.map((entry, index) => [`ns/link-${index}`, entry.padEnd(linkDigestLength, '-')])),
});
const same = digest('p1', 'a1', 'b1', 'c1', 'd1');

const own = (connected: number, ...links: readonly IngressObservation[]): OwnView => ({
  instance: 'a',
  digest: same,
  connected,
  observed: new Map(links.map((said, index) => [`ns/link-${index}`, said])),
});
const other = (connected: number, serves: PlanDigest, ...links: readonly IngressObservation[]) =>
  reportOf('b', serves, connected, new Map(links.map((said, index) => [`ns/link-${index}`, said])));
const statuses = (view: ReadonlyMap<string, IngressObservation>): string[] =>
  [...view.values()].map(({ reason }) => reason);

test('alone, what it hears itself counts; reports of itself and of replicas without proxies do not', () => {
  const view = own(0, nobody);
  assert.equal(combined(view, [{ ...other(3, same, refused), instance: 'a' }, other(0, same, nobody)]), view.observed);
});

test('without proxies of its own it believes those of the others', () => {
  assert.equal(statuses(combined(own(0, nobody, nobody), [other(2, same, good, waits)])), [
    'Programmed',
    'NotAcknowledged',
  ]);
});

test('programmed only where every proxy has it; a refusal anywhere is the verdict', () => {
  const view = combined(own(1, good, good, waits, good), [other(1, same, good, refused, refused, waits)]);
  assert.equal(statuses(view), ['Programmed', 'RejectedByProxy', 'RejectedByProxy', 'NotAcknowledged']);
  assert.equal(view.get('ns/link-0'), combined(own(2, good), []).get('ns/link-0'), 'however many there are');
});

test('of a plan that was never made here, what is the same in both counts, and what differs or is not there is not acknowledged', () => {
  const theirs = digest('p0', 'a1', 'b0', 'c1');
  const view = combined(own(0, good, good, good, good), [other(1, theirs, good, good, waits)]);
  assert.equal(statuses(view), ['Programmed', 'NotAcknowledged', 'NotAcknowledged', 'NotAcknowledged']);
  assert.match(view.get('ns/link-1')?.message ?? '', 'replica b');
});

test('a refusal is one whichever plan it speaks of', () => {
  const theirs = digest('p0', 'a0', 'b1');
  assert.equal(statuses(combined(own(1, good, good), [other(1, theirs, refused, refused)])), [
    'RejectedByProxy',
    'RejectedByProxy',
  ]);
});

test('an earlier version tells nothing of each link: the same plan counts, and of another nothing', () => {
  const { links: _, ...earlier } = other(1, same, good, waits);
  assert.equal(statuses(combined(own(1, good, good), [earlier])), ['Programmed', 'NotAcknowledged']);
  assert.equal(statuses(combined(own(1, good, good), [{ ...earlier, plan: 'p0' }])), [
    'NotAcknowledged',
    'NotAcknowledged',
  ]);
});

test('a report is read as it was written, also of thousands of links, and fits a ConfigMap', () => {
  const region = digest('p1', ...Array.from({ length: 5000 }, (_, index) => String(index)));
  const many = other(1, region, ...Array.from({ length: 5000 }, () => waits));
  const object = reportObject('ns', many, { name: 'b', uid: 'u' });
  assert.equal(readReport(object), many);
  assert.ok(JSON.stringify(object).length < 1_000_000);
  assert.equal(statuses(combined(own(1, good), [many])), ['NotAcknowledged']);
  const dense = other(1, same, ...Array.from({ length: 500 }, () => ({ ...refused, message: 'x'.repeat(600) })));
  assert.ok(JSON.stringify(reportObject('ns', dense, undefined)).length < 1_000_000);
  assert.is(readReport({ ...object, data: { 'report.json': '{' } }), undefined);
});

test.run();
