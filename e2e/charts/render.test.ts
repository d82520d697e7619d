/** The chart as Helm renders it: golden files, and values that are refused. UPDATE_GOLDEN=1 writes them again; review the difference. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { find, helm, render, renderText } from './chart.ts';

const root = join(import.meta.dirname, '../..');
const golden = join(root, 'charts/drimbox/golden');
const prometheus = ['monitoring.coreos.com/v1/PodMonitor', 'monitoring.coreos.com/v1/PrometheusRule'];

for (const name of readdirSync(golden).filter((file) => file.endsWith('.values.yaml')))
  test(`golden: ${name}`, async () => {
    const valuesFile = join(golden, name);
    const file = join(golden, name.replace('.values.yaml', '.out.yaml'));
    const text = await renderText({ valuesFile, apiVersions: prometheus });
    if (process.env['UPDATE_GOLDEN'] === '1' || !existsSync(file)) writeFileSync(file, text);
    assert.fixture(text, readFileSync(file, 'utf8'));
  });

test('helm lint finds nothing to complain of', async () => {
  await helm('lint', '--strict', 'charts/drimbox', 'charts/drimbox-crds');
});

const refused: readonly (readonly [string, unknown])[] = [
  ['operator.replicas', 0],
  ['operator.replicas', '2'],
  ['operator.replica', 2],
  ['images.gateway.pullPolicy', 'never'],
  ['images.envoy.digest', 'sha256:short'],
  ['images.operator.repository', 'Registry/Operator:1'],
  ['ingress.service.type', 'ExternalName'],
  ['ingress.service.nodePort', 80],
  ['ingress.drainSeconds', -1],
  ['ingress.logLevel', 'loud'],
  ['ingress.resources.limits', { memory: '1 GB' }],
  ['watchNamespaces', ['ght', 'ght']],
  ['watchNamespaces', ['Ght']],
  ['networkPolicy.apiServerPorts', []],
  ['monitoring.interval', '30'],
  ['operator.tracing.endpoint', 'collector:4318'],
];

for (const [field, value] of refused)
  test(`refused with the name of the field: ${field} ${JSON.stringify(value)}`, async () => {
    try {
      await renderText({ set: { [field]: value } });
    } catch (error) {
      const path = `/${field.replaceAll('.', '/')}`;
      const name = field.slice(field.lastIndexOf('.') + 1);
      const words = error instanceof Error ? error.message : String(error);
      assert.ok(words.includes(path) || words.includes(`'${name}'`), words);
      return;
    }
    assert.unreachable('Helm took it');
  });

test('every value is explained, and the schema knows every one of them', () => {
  const text = readFileSync(join(root, 'charts/drimbox/values.yaml'), 'utf8');
  const schema = JSON.parse(readFileSync(join(root, 'charts/drimbox/values.schema.json'), 'utf8')) as Schema;
  assert.equal(unknown(parse(text), schema, schema), []);
});

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

function unknown(value: unknown, schema: Schema, top: Schema, path = ''): string[] {
  const known = schema.$ref === undefined ? schema : (top.definitions?.[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  if (typeof value !== 'object' || value === null || Array.isArray(value) || known.properties === undefined) return [];
  const { properties } = known;
  return [
    ...(known.additionalProperties === false ? [] : [`${path}: takes anything`]),
    ...Object.entries(value).flatMap(([key, inner]) => {
      const next = properties[key];
      return next === undefined ? [`${path}.${key}`] : unknown(inner, next, top, `${path}.${key}`);
    }),
  ];
}

test('one image for the operator and for the sidecar of the proxies; the gateways one is handed on', async () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  const objects = await render({
    set: { 'images.operator.digest': digest, 'images.gateway': { repository: 'r.example/g', tag: '7' } },
  });
  const podOf = (name: string): Pod =>
    (find(objects, 'Deployment', name)['spec'] as { readonly template: { readonly spec: Pod } }).template.spec;
  const [operator, sidecar] = [podOf('drimbox-operator').containers[0], podOf('drimbox-ingress').initContainers?.[0]];
  assert.is(operator?.image, `drimbox.dev/operator@${digest}`);
  assert.is(sidecar?.image, operator?.image);
  const { args = [] } = operator ?? {};
  assert.is(args[args.indexOf('--gateway-image') + 1], 'r.example/g:7');
});

interface Pod {
  readonly containers: readonly { readonly image: string; readonly args?: readonly string[] }[];
  readonly initContainers?: Pod['containers'];
  readonly terminationGracePeriodSeconds: number;
}

test('a pod of the ingress is given longer than its goodbye and its answers may take', async () => {
  for (const set of [{}, { 'ingress.drainSeconds': 3600, 'ingress.goodbyeSeconds': 60 }]) {
    const { spec } = find(await render({ set }), 'Deployment', 'drimbox-ingress');
    const pod = (spec as { readonly template: { readonly spec: Pod } }).template.spec;
    const given = '--goodbye-seconds 60 --drain-seconds 3600';
    const told = (pod.initContainers?.[0] as { readonly command?: readonly string[] } | undefined)?.command?.join(' ');
    if ('ingress.drainSeconds' in set) assert.ok(told?.includes(given), told);
    assert.ok(pod.terminationGracePeriodSeconds > ('ingress.drainSeconds' in set ? 3660 : 910));
  }
});

test('no namespace is in the chart but the one that the API gives to events about TrustSpaces', async () => {
  const text = await renderText({ namespace: 'elsewhere', set: { watchNamespaces: ['ght'] } });
  const found = new Set([...text.matchAll(/^\s*namespace: (.+)$/gm)].map((match) => match[1]));
  assert.equal(found, new Set(['default', 'elsewhere', 'ght']));
});

test.run();
