import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GatewayStatus } from '../../../common/contract/gateway-status.ts';
import { type GatewayPodFacts, observePod, podFacts } from './pod-facts.ts';

type Status = NonNullable<GatewayPodFacts['status']>;
type Container = NonNullable<Status['containerStatuses']>[number];

function pod(container?: Partial<Container>, status: Status = {}): GatewayPodFacts {
  return podFacts({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'drimbox-nord-0', namespace: 'ght' },
    status: {
      ...status,
      ...(container && { containerStatuses: [{ restartCount: 0, ready: false, ...container }] }),
    },
  });
}

// Only that it is handed on counts here.
const answer = { revision: 'r1' } as GatewayStatus;

test('no pod, or one on its way, says nothing yet', () => {
  assert.is(observePod(undefined, undefined), undefined);
  assert.is(observePod(pod(), answer), undefined);
  assert.is(observePod(pod({}), undefined), undefined);
  for (const reason of ['ContainerCreating', 'PodInitializing'])
    assert.is(observePod(pod({ state: { waiting: { reason } } }), undefined), undefined, reason);
});

test('one that runs says what its gateway answered, when it answered', () => {
  const running = pod({ restartCount: 2, state: { running: {} } });
  assert.equal(observePod(running, undefined), { running: true, restarts: 2 });
  assert.equal(observePod(running, answer), { running: true, restarts: 2, status: answer });
});

test('one that no node takes says why, with the scheduler’s words', () => {
  const conditions = [
    { type: 'Ready', status: 'False', reason: 'NotThis' },
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes: no volume' },
  ];
  assert.equal(observePod(pod(undefined, { conditions }), undefined), {
    running: false,
    restarts: 0,
    waiting: { reason: 'Unschedulable', message: '0/3 nodes: no volume' },
  });
  const scheduled = pod(undefined, { conditions: [{ type: 'PodScheduled', status: 'True' }] });
  assert.is(observePod(scheduled, undefined), undefined);
});

test('one that can not start says the reason that stands in the way', () => {
  const waiting = { reason: 'ErrImagePull', message: 'not found' };
  assert.equal(observePod(pod({ state: { waiting } }), undefined), { running: false, restarts: 0, waiting });
  assert.equal(observePod(pod({ state: { waiting: { reason: 'CreateContainerConfigError' } } }), undefined)?.waiting, {
    reason: 'CreateContainerConfigError',
    message: 'the node does not say why',
  });
});

test('one that ended says with what, the last line of its words; its former answer does not count any more', () => {
  const terminated = { exitCode: 1, reason: 'Error', message: 'first\nconfig.json: no such file\n' };
  const back = pod({ restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } });
  const seen = { running: false, restarts: 4, lastEnd: '1: config.json: no such file' };
  assert.equal(observePod(back, answer), seen);
  assert.equal(observePod(pod({ restartCount: 4, state: { terminated } }), answer), seen);
  const killed = pod({ state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } });
  assert.is(observePod(killed, undefined)?.lastEnd, '137: OOMKilled');
  const long = pod({ state: { terminated: { exitCode: 1, message: 'x'.repeat(4_000) } } });
  assert.ok((observePod(long, undefined)?.lastEnd ?? '').length <= 510);
});

test('one that runs again after an end is told as running', () => {
  const again = pod({ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 1 } } });
  assert.equal(observePod(again, undefined), { running: true, restarts: 1 });
});

test('of a pod only what counts is kept', () => {
  const kept = podFacts({
    ...pod({ state: { running: {} } }),
    spec: { containers: [] },
    status: { podIP: '10.0.0.1', phase: 'Running', hostIP: '10.0.0.9' },
  } as GatewayPodFacts);
  assert.equal(Object.keys(kept), ['apiVersion', 'kind', 'metadata', 'status']);
  assert.equal(kept.status, { podIP: '10.0.0.1', phase: 'Running', conditions: [], containerStatuses: [] });
});

test.run();
