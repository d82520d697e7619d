import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IngressObservation } from '../../plan/observations.ts';
import { type OwnView, combined, readReport, reportObject, reportOf } from './replica-reports.ts';

const good: IngressObservation = { status: 'True', reason: 'Programmed', message: 'the proxy acknowledged it' };
const waits: IngressObservation = { status: 'Unknown', reason: 'NotAcknowledged', message: 'not yet' };
const refused: IngressObservation = { status: 'False', reason: 'RejectedByProxy', message: 'bad PEM' };
const nobody: IngressObservation = { status: 'False', reason: 'NoProxyConnected', message: 'none' };

const own = (connected: number, ...links: readonly IngressObservation[]): OwnView => ({
  instance: 'a',
  plan: 'p1',
  connected,
  observed: new Map(links.map((said, index) => [`ns/link-${index}`, said])),
});
const other = (connected: number, plan: string, ...links: readonly IngressObservation[]) =>
  reportOf('b', plan, connected, new Map(links.map((said, index) => [`ns/link-${index}`, said])));
const statuses = (view: ReadonlyMap<string, IngressObservation>): string[] =>
  [...view.values()].map(({ reason }) => reason);

test('alone, what it hears itself counts; reports of itself and of replicas without proxies do not', () => {
  const view = own(0, nobody);
  assert.equal(combined(view, [{ ...other(3, 'p1', refused), instance: 'a' }, other(0, 'p1', nobody)]), view.observed);
});

test('without proxies of its own it believes those of the others', () => {
  assert.equal(statuses(combined(own(0, nobody, nobody), [other(2, 'p1', good, waits)])), [
    'Programmed',
    'NotAcknowledged',
  ]);
});

test('programmed only where every proxy has it; a refusal anywhere is the verdict', () => {
  const view = combined(own(1, good, good, waits, good), [other(1, 'p1', good, refused, refused, waits)]);
  assert.equal(statuses(view), ['Programmed', 'RejectedByProxy', 'RejectedByProxy', 'NotAcknowledged']);
  assert.is(view.get('ns/link-0')?.message, 'all 2 proxies acknowledged it');
});

test('a replica that serves another plan has not acknowledged this one, but what it refuses is refused', () => {
  assert.equal(statuses(combined(own(1, good, good), [other(1, 'p0', good, refused)])), [
    'NotAcknowledged',
    'RejectedByProxy',
  ]);
});

test('a report is read as it was written, also of thousands of links, and fits a ConfigMap', () => {
  const many = other(1, 'p1', ...Array.from({ length: 5000 }, () => waits));
  const object = reportObject('ns', many, { name: 'b', uid: 'u' });
  assert.equal(readReport(object), many);
  assert.ok(JSON.stringify(object).length < 1_000_000);
  assert.equal(statuses(combined(own(1, good), [many])), ['NotAcknowledged']);
  const dense = other(1, 'p1', ...Array.from({ length: 500 }, () => ({ ...refused, message: 'x'.repeat(600) })));
  assert.ok(JSON.stringify(reportObject('ns', dense, undefined)).length < 1_000_000);
  assert.is(readReport({ ...object, data: { 'report.json': '{' } }), undefined);
});

test.run();
