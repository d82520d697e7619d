/** Several gateways of one site as one: what one of them says against the site counts, and is said of it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GatewayCondition, GatewayStatus } from '../../common/contract/gateway-status.ts';
import { siteInput } from '../infrastructure/kubernetes/site-input.testing.ts';
import { keyOf } from '../resources/inventory.ts';
import type { GatewayPlan } from './gateway-plan.ts';
import type { GatewayObservation, Observations, ReplicaObservation } from './observations.ts';
import type { Planning } from './plan.ts';
import { asOne, gatewayOf } from './replicas.ts';
import { type WorkloadOutcome, workloadOutcome } from './workload.ts';

const postgres = { host: 'db', database: 'nord', credentials: { secretName: 'a' }, trust: { inline: 'PEM' } };
const { site, plan } = siteInput({ replicas: 2, storage: { postgres } });
const key = keyOf(site);
const { revision } = plan.config;

const condition = (type: string, status: GatewayCondition['status'], message = ''): GatewayCondition => ({
  type,
  status,
  reason: status === 'True' ? 'Fine' : 'Wrong',
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

const status = (fields: Partial<GatewayStatus> = {}): GatewayStatus => ({
  apiVersion: 'gateway.drimbox.dev/v1alpha1',
  revision,
  ready: true,
  conditions: [condition('WhitelistVerified', 'True', 'a list')],
  pacs: [{ name: 'pacs1', conditions: [condition('PacsReachable', 'True')], lastEchoTime: '2026-01-01T00:00:00Z' }],
  publications: { published: 7 },
  listening: {
    mllp: { host: '0.0.0.0', port: 2575 },
    dimse: { host: '0.0.0.0', port: 11_112 },
    wado: { host: '0.0.0.0', port: 8443 },
    viewer: { host: '0.0.0.0', port: 8444 },
    admin: { host: '0.0.0.0', port: 8080 },
  },
  ...fields,
});

const serving: GatewayObservation = { running: true, restarts: 0, status: status() };
const replica = (index: number, gateway?: GatewayObservation): ReplicaObservation =>
  gateway === undefined ? { name: `drimbox-nord-${index}` } : { name: `drimbox-nord-${index}`, gateway };

function outcome(replicas: readonly ReplicaObservation[], planned: GatewayPlan = plan): WorkloadOutcome {
  const seen = { gateways: new Map(), replicas: new Map([[key, replicas]]) } as Partial<Observations> as Observations;
  const planning = { gatewayOf: new Map([[key, planned]]) } as Partial<Planning> as Planning;
  return workloadOutcome(site, seen, planning);
}

const said = ({ verdicts }: WorkloadOutcome): string[] =>
  verdicts.map(({ type, status: value, reason, message }) => `${type} ${value} ${reason}: ${message}`);

test('all serve: both conditions are True', () => {
  const both = outcome([replica(0, serving), replica(1, serving)]);
  assert.equal(said(both), ['WorkloadAvailable True Running: ', 'ReplicasReady True AllServe: ']);
  assert.is(both.serving, '2/2');
});

const faults: Readonly<Record<string, readonly [GatewayObservation | undefined, string]>> = {
  'is not there yet': [
    undefined,
    'Unknown Starting: 1 of 2 gateways serve; drimbox-nord-1: the gateway is being started',
  ],
  'does not answer': [
    { running: true, restarts: 0 },
    'Unknown NotAnswering: 1 of 2 gateways serve; drimbox-nord-1: the gateway runs but does not answer GET /status yet',
  ],
  'finds no node': [
    { running: false, restarts: 0, waiting: { reason: 'Unschedulable', message: 'no node' } },
    'False Unschedulable: 1 of 2 gateways serve; drimbox-nord-1: no node',
  ],
  'dies again and again': [
    { running: false, restarts: 3, lastEnd: '1: no database' },
    'False Restarting: 1 of 2 gateways serve; drimbox-nord-1: the gateway ended 3 times, lately with 1: no database',
  ],
  'has a former config': [
    { running: true, restarts: 0, status: status({ revision: 'r0' }) },
    `Unknown Progressing: 1 of 2 gateways serve; drimbox-nord-1: revision r0 is in force, ${revision} is on its way`,
  ],
  'says it is not ready': [
    {
      running: true,
      restarts: 0,
      status: status({ ready: false, conditions: [condition('ArchiveReady', 'False', 'away')] }),
    },
    'False Wrong: 1 of 2 gateways serve; drimbox-nord-1: away',
  ],
};

for (const [what, [gateway, words]] of Object.entries(faults))
  test(`one ${what}: the site is served, and it is said which one is not as wanted`, () => {
    const one = outcome([replica(0, serving), replica(1, gateway)]);
    assert.equal(said(one), ['WorkloadAvailable True Running: 1 of 2 gateways serve', `ReplicasReady ${words}`]);
    assert.is(one.serving, '1/2');
  });

test('none serves: what a person must mend goes before what passes', () => {
  const none = outcome([replica(0), replica(1, { running: false, restarts: 1, lastEnd: '1: x' })]);
  assert.equal(
    none.verdicts.map(({ type, status: value, reason }) => `${type} ${value} ${reason}`),
    ['WorkloadAvailable False Restarting', 'ReplicasReady False Restarting'],
  );
  assert.match(none.verdicts[0]?.message ?? '', /^drimbox-nord-1: /);
  assert.match(none.verdicts[1]?.message ?? '', /drimbox-nord-0: .*; drimbox-nord-1: /);
});

test('what is planned counts: a gateway that is one too many says nothing of the site', () => {
  const { replicas: _two, ...config } = plan.config;
  const one = outcome([replica(0, serving), replica(1, { running: false, restarts: 9 })], { ...plan, config });
  assert.equal(said(one), ['WorkloadAvailable True Running: ']);
  assert.is(one.serving, undefined);
});

test('statuses as one: the worst of each condition and PACS, and whose words they are', () => {
  const silent = condition('PacsReachable', 'False', 'connection refused');
  const other = status({
    revision: 'r0',
    conditions: [condition('WhitelistVerified', 'Unknown', 'not loaded')],
    pacs: [{ name: 'pacs1', conditions: [silent], lastEchoTime: '2026-01-02T00:00:00Z' }],
  });
  const one = asOne([replica(0, serving), replica(1, { running: true, restarts: 2, status: other }), replica(2)]);
  const messages = one?.status?.conditions.map(({ status: value, message }) => `${value} ${message}`);
  assert.equal(messages, ['Unknown drimbox-nord-1: not loaded']);
  const [pacs] = one?.status?.pacs ?? [];
  assert.equal(
    [pacs?.conditions[0]?.status, pacs?.conditions[0]?.message],
    ['False', 'drimbox-nord-1: connection refused'],
  );
  assert.is(pacs?.lastEchoTime, '2026-01-02T00:00:00Z');
  assert.is(one?.status?.revision, `${revision}, r0`);
  assert.equal(one?.status?.publications, { published: 7 }, 'all count in one database');
  assert.is(one?.restarts, 2);
});

test('what all say is said once, without names; with one gateway it is its own word', () => {
  const away = {
    running: true,
    restarts: 0,
    status: status({ conditions: [condition('ArchiveReady', 'False', 'away')] }),
  };
  assert.is(asOne([replica(0, away), replica(1, away)])?.status?.conditions[0]?.message, 'away');
  assert.is(asOne([replica(0), replica(1)]), undefined);
  const seen = { gateways: new Map([[key, away]]) } as Partial<Observations> as Observations;
  assert.is(gatewayOf(key, seen, { gatewayOf: new Map() } as Partial<Planning> as Planning), away);
});

test.run();
