/** Which pods count for a site, and whom the poll asks. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GatewayStatus } from '../../../common/contract/gateway-status.ts';
import { siteInput } from '../../infrastructure/kubernetes/site-input.testing.ts';
import { createMemory } from '../../plan/remembered.ts';
import { keyOf } from '../../resources/inventory.ts';
import type { PodAddress } from './gateway-poll.ts';
import { observeGateways } from './observe-gateways.ts';
import type { GatewayPodFacts } from './pod-facts.ts';

const postgres = { host: 'db', database: 'nord', credentials: { secretName: 'a' }, trust: { inline: 'PEM' } };
const alone = siteInput().site;
const shared = siteInput({ replicas: 3, storage: { postgres } }).site;
const key = keyOf(shared);

const pod = (index: number): GatewayPodFacts => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'group', name: `drimbox-nord-${index}` },
  status: {
    podIP: `192.0.2.${index}`,
    containerStatuses: [{ restartCount: index, ready: true, state: { running: {} } }],
  },
});

interface World {
  readonly pods: readonly GatewayPodFacts[];
  readonly answers?: Readonly<Record<string, GatewayStatus>>;
}

function opened(): {
  readonly look: (site: typeof shared, world: World) => ReturnType<typeof observeGateways>;
  readonly followed: () => ReadonlyMap<string, PodAddress>;
} {
  const memory = createMemory();
  let followed: ReadonlyMap<string, PodAddress> = new Map();
  return {
    async look(site, { pods, answers = {} }) {
      const found = await observeGateways([site], {
        podsOf: () => pods,
        poll: { statusOf: (name) => answers[name], follow: (addresses) => void (followed = addresses) },
        memory,
      });
      memory.sweep();
      return found;
    },
    followed: () => followed,
  };
}

// Only that it is handed on counts here.
const answer = { revision: 'r1' } as GatewayStatus;

test('a site of one gateway is its pod', async () => {
  const { look, followed } = opened();
  const { gateways, replicas } = await look(alone, { pods: [pod(0)], answers: { 'group/drimbox-nord-0': answer } });
  assert.equal(gateways.get(key), { running: true, restarts: 0, status: answer });
  assert.is(replicas.size, 0);
  assert.equal([...followed()], [['group/drimbox-nord-0', { site: key, address: '192.0.2.0' }]]);
});

test('of several each is observed under its name, in order, whether it is there or not, and each is asked', async () => {
  const { look, followed } = opened();
  const { gateways, replicas } = await look(shared, {
    pods: [pod(2), pod(0)],
    answers: { 'group/drimbox-nord-2': answer },
  });
  assert.is(gateways.size, 0);
  assert.equal(replicas.get(key), [
    { name: 'drimbox-nord-0', gateway: { running: true, restarts: 0 } },
    { name: 'drimbox-nord-1' },
    { name: 'drimbox-nord-2', gateway: { running: true, restarts: 2, status: answer } },
  ]);
  assert.equal([...followed().keys()], ['group/drimbox-nord-0', 'group/drimbox-nord-2']);
});

test('nothing new is the very same object; more pods than wanted are still seen', async () => {
  const { look } = opened();
  const pods = [pod(0), pod(1), pod(2)];
  const first = (await look(shared, { pods })).replicas.get(key);
  assert.is((await look(shared, { pods })).replicas.get(key), first);
  const answers = { 'group/drimbox-nord-1': answer };
  assert.is.not((await look(shared, { pods, answers })).replicas.get(key), first);
  const fewer = { ...shared, spec: { ...shared.spec, replicas: 1 } };
  assert.is((await look(fewer, { pods })).replicas.get(key)?.length, 3);
});

test.run();
