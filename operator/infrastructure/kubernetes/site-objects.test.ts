/** Golden: what a site is made of on a cluster. UPDATE_GOLDEN=1 writes the files again; review the difference. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { dimseServiceName, workloadName } from './names.ts';
import type { Planned } from './planned.ts';
import { siteInput } from './site-input.testing.ts';
import { servicesOf } from './services.ts';
import { siteObjects } from './site-objects.ts';

const postgres = {
  host: '192.0.2.7',
  port: 6432,
  database: 'nord',
  credentials: { secretName: 'nord-app' },
  trust: { secret: { name: 'nord-ca' } },
};

const variants: Readonly<Record<string, object>> = {
  'small-site': {},
  'node-port-site': {
    service: { type: 'NodePort', mllpNodePort: 30_575, dimseNodePort: 31_112 },
    storage: { sizeGiB: 200, storageClassName: 'fast', whenDeleted: 'Delete' },
    network: { sources: ['192.0.2.0/24', '2001:db8::/32'] },
  },
  'shared-archive-site': {
    replicas: 2,
    service: { type: 'NodePort', mllpNodePort: 30_575, dimseNodePort: 31_112 },
    storage: { postgres },
  },
  'balanced-site': {
    replicas: 2,
    storage: { postgres },
    service: {
      type: 'LoadBalancer',
      allocateNodePorts: false,
      annotations: { 'lb.example/pool': 'hospital', 'lb.example/address': '192.0.2.10' },
      dimseAnnotations: [{ 'lb.example/address': '192.0.2.11' }, { 'lb.example/address': '192.0.2.12' }],
    },
  },
};

for (const [name, spec] of Object.entries(variants))
  test(`golden: ${name}`, () => {
    const file = join(import.meta.dirname, `golden/${name}.yaml`);
    const input = siteInput(spec);
    // Its content is the plan's business, and has golden files there.
    const text = siteObjects(input)
      .map(({ object }) => stringify(withoutConfig(object), { lineWidth: 0, aliasDuplicateObjects: false }))
      .join('---\n');
    if (process.env['UPDATE_GOLDEN'] === '1' || !existsSync(file)) writeFileSync(file, text);
    assert.fixture(text, readFileSync(file, 'utf8'));
  });

function withoutConfig(object: Planned['object']): object {
  const data = object['data'] as Readonly<Record<string, string>> | undefined;
  return data?.['config.json'] === undefined ? object : { ...object, data: { ...data, 'config.json': '(the plan)' } };
}

test('the config is the plan to the last field, and readable', () => {
  const input = siteInput();
  const [map] = siteObjects(input).filter(({ object }) => object.kind === 'ConfigMap');
  const data = map?.object['data'] as Readonly<Record<string, string>>;
  assert.equal(JSON.parse(data['config.json'] ?? ''), input.plan.config);
});

test('keys are in the Secret alone, and what is mounted exists before the pod that mounts it', () => {
  const objects = siteObjects(siteInput()).map(({ object }) => object);
  for (const object of objects)
    if (object.kind !== 'Secret') assert.not.match(JSON.stringify(object), /its key|aXRzIGtleQ==/);
  assert.is(objects.at(-1)?.kind, 'StatefulSet');
  const kinds = objects.map(({ kind }) => kind);
  assert.ok(kinds.indexOf('Secret') < kinds.indexOf('ConfigMap'), 'a config names files that are there');
});

test('files of the plan before stay until the next one', () => {
  const input = siteInput();
  const former = { ...input.plan, files: [{ name: 'internal-0.key', content: 'old', secret: true }] };
  const [secret] = siteObjects({ ...input, former }).filter(({ object }) => object.kind === 'Secret');
  assert.equal(Object.keys(secret?.object['data'] as object), ['internal-1.key', 'internal-0.key']);
});

test('an archive has an owner only when it shall go with its site', () => {
  const owners = (whenDeleted: string): unknown =>
    siteObjects(siteInput({ storage: { sizeGiB: 1, whenDeleted } })).find(
      ({ object }) => object.kind === 'PersistentVolumeClaim',
    )?.object.metadata.ownerReferences;
  assert.is(owners('Retain'), undefined);
  assert.is((owners('Delete') as readonly unknown[]).length, 1);
});

test('gateways that share an archive: each has a DIMSE Service of its own, whose address no further gateway moves', () => {
  const services = (replicas: number): Record<string, unknown> =>
    Object.fromEntries(
      servicesOf(siteInput({ replicas, storage: { postgres } }).site).map(({ object }) => [
        object.metadata.name,
        object['spec'],
      ]),
    );
  const [one, three] = [services(1), services(3)];
  assert.equal(Object.keys(three), [...Object.keys(one), 'drimbox-nord-dimse-1', 'drimbox-nord-dimse-2']);
  for (const [name, spec] of Object.entries(one)) assert.equal(three[name], spec, name);
  const selectors = Object.values(three).map((spec) => (spec as { readonly selector: object }).selector);
  const indexed = selectors.filter((selector) => 'apps.kubernetes.io/pod-index' in selector);
  assert.is(new Set(indexed.map((selector) => JSON.stringify(selector))).size, 3);
});

test('names fit where Kubernetes puts them, whatever the site is called, and differ when the sites do', () => {
  const long = 'centre-hospitalier-universitaire-de-la-region-du-nord-est-imagerie';
  const names = [`${long}-1`, `${long}-2`, 'a', 'nord'].map((name) => {
    const input = siteInput();
    const site = { ...input.site, metadata: { ...input.site.metadata, name } };
    for (const { object } of siteObjects({ ...input, site })) {
      assert.match(object.metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      assert.ok(object.metadata.name.length <= 63, object.metadata.name);
    }
    assert.ok(dimseServiceName(name, 15).length <= 63);
    // A StatefulSet's pods have a label with its name, a dash and a hash of ten characters; pods end in -0.
    assert.ok(workloadName(name).length + 11 <= 63);
    return workloadName(name);
  });
  assert.is(new Set(names).size, names.length);
});

test.run();
