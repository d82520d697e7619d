import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createMemory } from './remembered.ts';

test('is made again when one input is another, and only then', () => {
  const memory = createMemory();
  const link = { name: 'a' };
  const made: number[] = [];
  const ask = (...inputs: readonly unknown[]): number =>
    memory.of('site', inputs, () => {
      made.push(made.length);
      return made.length;
    });
  assert.equal([ask(link, 1), ask(link, 1), ask({ name: 'a' }, 1), ask(link, 1), ask(link)], [1, 1, 2, 3, 4]);
  assert.is(made.length, 4);
});

test('forgets what two sweeps passed by', () => {
  const memory = createMemory();
  let made = 0;
  const ask = (): number => memory.of('k', [], () => (made += 1));
  ask();
  memory.sweep();
  ask();
  memory.sweep();
  assert.is(ask(), 1);
  memory.sweep();
  memory.sweep();
  assert.is(ask(), 2);
});

test.run();
