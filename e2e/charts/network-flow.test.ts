/**
 * Who may connect to whom, by the policies of the chart and those the operator makes for a site, against the table we want, as
 * they read (network-flow.ts). On a network that enforces them: e2e/cluster/strangers.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { type Rendered, find, render } from './chart.ts';
import { type End, type Policy, isAllowed } from './network-flow.ts';
import { type Called, type Caller, callers, letsIn } from './who-reaches-whom.ts';

interface Container {
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

interface Template {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
}

const goldens = join(import.meta.dirname, '../../operator/infrastructure/kubernetes/golden');
const chart = await render();

function objectsOf(golden: string): Rendered[] {
  return parseAllDocuments(readFileSync(join(goldens, `${golden}.yaml`), 'utf8')).map((one) => one.toJS() as Rendered);
}

function templateOf(objects: readonly Rendered[], kind: string, name: string): Template {
  return (find(objects, kind, name)['spec'] as { readonly template: Template }).template;
}

function portsOf({ spec }: Template): number[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));
}

/** RIS and PACS in 192.0.2.0/24 and 2001:db8::/32, no PACS by address. */
const site = objectsOf('node-port-site');
const neighbour = JSON.parse(JSON.stringify(site).replaceAll('nord', 'sud')) as Rendered[];
const templates = {
  gateway: templateOf(site, 'StatefulSet', 'drimbox-nord'),
  operator: templateOf(chart, 'Deployment', 'drimbox-operator'),
  ingress: templateOf(chart, 'Deployment', 'drimbox-ingress'),
};
const policies = [...chart, ...site, ...neighbour].filter(
  ({ kind }) => kind === 'NetworkPolicy',
) as unknown as readonly Policy[]; // as Kubernetes has it

const inSystem = (labels: Readonly<Record<string, string>>, address: string): End => ({
  address,
  pod: { namespace: 'drimbox', labels },
});
const monitoring = { 'drimbox.dev/metrics': 'true' };

const ends = {
  gateway: { address: '10.244.0.4', pod: { namespace: 'group', labels: templates.gateway.metadata.labels } },
  operator: inSystem(templates.operator.metadata.labels, '10.244.0.2'),
  ingress: inSystem(templates.ingress.metadata.labels, '10.244.0.3'),
  'gateway of another site': {
    address: '10.244.0.5',
    pod: { namespace: 'group', labels: { ...templates.gateway.metadata.labels, 'drimbox.dev/site': 'sud' } },
  },
  'pod beside the gateway': { address: '10.244.0.6', pod: { namespace: 'group', labels: { app: 'stranger' } } },
  'pod beside the operator': inSystem({ app: 'stranger' }, '10.244.0.7'),
  // named like ours, elsewhere
  'false ingress': {
    address: '10.244.0.8',
    pod: { namespace: 'elsewhere', labels: templates.ingress.metadata.labels },
  },
  'false operator': {
    address: '10.244.0.9',
    pod: { namespace: 'elsewhere', labels: templates.operator.metadata.labels },
  },
  prometheus: {
    address: '10.244.0.10',
    pod: { namespace: 'monitoring', namespaceLabels: monitoring, labels: { app: 'prometheus' } },
  },
  hospital: { address: '192.0.2.9' },
  'hospital over IPv6': { address: '2001:db8::9' },
  internet: { address: '203.0.113.9' },
} satisfies Readonly<Record<Caller, End>>;
for (const [to, ports] of Object.entries(letsIn) as [Called, Readonly<Record<number, readonly Caller[]>>][])
  test(`who reaches the ${to}, on each of its ports`, () => {
    const found = Object.keys(ports).map((port) => [
      port,
      callers.filter(
        (from) => from !== to && isAllowed(policies, { from: ends[from], to: ends[to], port: Number(port) }),
      ),
    ]);
    assert.equal(Object.fromEntries(found), ports);
  });

test('each port that a container opens stands in the table', () => {
  const untold = Object.entries(templates).map(([name, template]) => [
    name,
    [...new Set(portsOf(template))].filter((port) => !(port in letsIn[name as Called])),
  ]);
  assert.equal(Object.fromEntries(untold), { gateway: [], operator: [], ingress: [] });
});

test('where they may go', () => {
  const dns: End = { address: '10.96.0.10', pod: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } } };
  const out = (from: Caller, to: End, port: number, protocol: 'TCP' | 'UDP' = 'TCP'): boolean =>
    isAllowed(policies, { from: ends[from], to, port, protocol });
  for (const from of ['gateway', 'operator', 'ingress'] as const) {
    assert.ok(out(from, dns, 53, 'UDP'), from);
    assert.ok(out(from, dns, 53), from);
    assert.not.ok(out(from, ends.internet, 22), from);
  }
  assert.ok(out('gateway', ends.hospital, 104), 'its PACS');
  assert.ok(out('gateway', ends.internet, 443), 'DMP and Pro Santé Connect');
  assert.not.ok(out('gateway', ends.operator, 18000));
  assert.ok(out('operator', { address: '203.0.113.1' }, 6443), 'the API server');
  assert.ok(out('operator', ends.internet, 80), 'CRLs');
  assert.not.ok(out('ingress', ends.internet, 443), 'what callers talk to calls nobody');
});

const collectors: readonly (readonly [string, number])[] = [
  ['http://collector.observability:4318', 4318],
  ['https://collector.example/otlp', 443],
  ['http://[2001:db8::4]', 80],
];
for (const [endpoint, port] of collectors)
  test(`traces to ${endpoint} get out of the operator`, async () => {
    const traced = await render({ set: { 'operator.tracing.endpoint': endpoint, 'networkPolicy.trustPorts': [8080] } });
    const { containers } = templateOf(traced, 'Deployment', 'drimbox-operator').spec;
    assert.equal(containers[0]?.env?.find(({ name }) => name === 'OTEL_EXPORTER_OTLP_ENDPOINT')?.value, endpoint);
    const own = traced.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as readonly Policy[]; // as Kubernetes has it
    const out = [port, port + 1].map((to) => isAllowed(own, { from: ends.operator, to: ends.internet, port: to }));
    assert.equal(out, [true, port + 1 === 443]);
  });

test('a PACS and a database given by address are reached there and nowhere else', () => {
  const shared = objectsOf('shared-archive-site');
  const own = shared.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as readonly Policy[]; // as Kubernetes has it
  const to = (address: string): boolean => isAllowed(own, { from: ends.gateway, to: { address }, port: 6432 });
  assert.equal([to('192.0.2.7'), to('192.0.2.8')], [true, false]);
});

test('the reader of policies knows what the API says of them', () => {
  const pod = (labels: Readonly<Record<string, string>>): End => ({
    address: '10.0.0.1',
    pod: { namespace: 'a', labels },
  });
  const policy = (spec: object): Policy => ({ metadata: { namespace: 'a' }, spec: { podSelector: {}, ...spec } });
  const lets = (spec: object, from: End = ends.internet): boolean =>
    isAllowed([policy(spec)], { from, to: pod({ role: 'x' }), port: 8080 });
  assert.ok(isAllowed([], { from: ends.internet, to: pod({}), port: 1 }), 'without a policy all is open');
  assert.not.ok(lets({}), 'selected, and no rule');
  assert.ok(lets({ ingress: [{}] }), 'an empty rule lets all in');
  assert.ok(lets({ ingress: [{ from: [] }] }), 'an empty list is everybody');
  assert.ok(lets({ policyTypes: ['Egress'] }), 'closed in the other direction only');
  assert.not.ok(lets({ ingress: [{ from: [{ podSelector: {} }] }] }), 'pods are not what is outside');
  assert.ok(lets({ ingress: [{ from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }] }));
  assert.not.ok(lets({ ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['203.0.113.9/32'] } }] }] }));
  assert.ok(lets({ ingress: [{ ports: [{ port: 8000, endPort: 8999 }] }] }));
  assert.not.ok(lets({ ingress: [{ ports: [{ protocol: 'UDP', port: 8080 }] }] }));
  assert.ok(
    lets({ podSelector: { matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['x'] }] } }),
    'another pod',
  );
});

test.run();
