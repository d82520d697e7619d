import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Change, createIntake } from './intake.ts';
import type { KubeObject } from './resource-kind.ts';
import { createStore } from './store.ts';

interface Site extends KubeObject {
  readonly spec: { readonly paused: boolean; readonly limits: { readonly moves: number } };
  readonly status?: { readonly ready: boolean };
}

/** As it comes from the API server: nothing of it is the same object as anything else. */
function heard(name: string, resourceVersion: string, ready: boolean, paused = false, uid = `uid of ${name}`): Site {
  const metadata = { name, namespace: 'group', uid, resourceVersion, labels: { site: name } };
  const site = { apiVersion: 'v1', kind: 'Site', metadata, spec: { paused, limits: { moves: 4 } }, status: { ready } };
  return JSON.parse(JSON.stringify(site)) as Site;
}

function rethrow(error: unknown): never {
  throw error;
}

function open(): { readonly accept: ReturnType<typeof createIntake>; readonly get: (name: string) => Site } {
  const store = createStore<Site>({ site: ({ metadata }) => [metadata.labels?.['site'] ?? ''] });
  const accept = createIntake<Site>(store, undefined, undefined, rethrow);
  return {
    accept,
    get(name) {
      const [found, ...more] = store.by('site', name);
      assert.is(found, store.get(`group/${name}`));
      assert.equal(more, []);
      if (found === undefined) throw new Error(`${name} is not there`);
      return found;
    },
  };
}

test('a status that turns leaves the spec what it was, the very same object; a spec that changes is another', () => {
  const { accept, get } = open();
  accept.put(heard('nord', '1', false));
  const first = get('nord');
  accept.put(heard('nord', '2', true));
  const second = get('nord');
  assert.equal(second, heard('nord', '2', true));
  assert.is.not(second, first);
  assert.is(second.spec, first.spec);
  assert.is(second.metadata.labels, first.metadata.labels);
  accept.put(heard('nord', '3', true, true));
  const third = get('nord');
  assert.equal(third, heard('nord', '3', true, true));
  assert.is.not(third.spec, second.spec);
  assert.is(third.spec.limits, second.spec.limits);
  assert.equal(first, heard('nord', '1', false), 'what was handed out stays as it was');
});

test('a new object shares with the one that came before it what both say, and stays itself', () => {
  const { accept, get } = open();
  for (const name of ['nord', 'sud']) accept.put(heard(name, '1', false));
  assert.is(get('sud').spec, get('nord').spec);
  assert.equal([get('nord'), get('sud')], [heard('nord', '1', false), heard('sud', '1', false)]);
});

test('what was made again under its name is another object, and told so', () => {
  const store = createStore<Site>();
  const told: string[] = [];
  const tell = ({ type, object }: Change<Site>): number => told.push(`${type} ${object.metadata.uid ?? ''}`);
  const accept = createIntake<Site>(store, undefined, tell, rethrow);
  accept.put(heard('nord', '1', false));
  accept.put(heard('nord', '1', false));
  accept.put(heard('nord', '5', false, false, 'another'));
  assert.equal(told, ['added uid of nord', 'deleted uid of nord', 'added another']);
});

test.run();
