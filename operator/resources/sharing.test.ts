import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { oneText, sharing } from './sharing.ts';

const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const site = {
  metadata: { name: 'nord', resourceVersion: '1', labels: { app: 'drimbox' } },
  spec: { ris: [{ name: 'ris', pacs: ['a', 'b'] }], paused: false, port: 2575 },
  status: {
    conditions: [
      { type: 'Ready', status: 'False' },
      { type: 'Accepted', status: 'True' },
    ],
  },
};

test('what is equal to the former is the former, part by part; the rest says what it said', () => {
  const former = parsed(site) as typeof site;
  const turned = {
    ...site,
    metadata: { ...site.metadata, resourceVersion: '2' },
    status: { conditions: [{ type: 'Ready', status: 'True' }, site.status.conditions[1]] },
  };
  const next = sharing(parsed(turned), former) as typeof site;
  assert.equal(next, turned);
  assert.equal(former, site);
  assert.is(next.spec, former.spec);
  assert.is(next.metadata.labels, former.metadata.labels);
  assert.is(next.status.conditions[1], former.status.conditions[1]);
  assert.is.not(next.status.conditions[0], former.status.conditions[0]);
  assert.is(sharing(parsed(site), former), former);
});

test('more, less, another order or another kind of value is never taken for the same', () => {
  const values: readonly unknown[] = [
    { a: 1 },
    { a: 1, b: 2 },
    { b: 1 },
    { a: '1' },
    { a: null },
    { a: undefined },
    { a: [1] },
    { a: { 0: 1 } },
    [],
    {},
    ['a', 'b'],
    ['b', 'a'],
    ['a'],
    [[]],
    [{}],
    '',
    'a',
    0,
    false,
    null,
    JSON.parse('{"__proto__":{"a":1}}'),
    { constructor: 1 },
  ];
  for (const next of values)
    for (const former of values) {
      const copy = next === null || typeof next !== 'object' ? next : structuredClone(next);
      assert.equal(sharing(copy, former), next, `${JSON.stringify(next)} after ${JSON.stringify(former)}`);
    }
});

test('one text for equal ones, whatever they are', () => {
  for (const text of ['', 'region/site-1', '2026-01-01T00:00:00Z', '42', '007', '__proto__', 'é'.repeat(300)])
    assert.is(oneText(text), text);
});

test.run();
