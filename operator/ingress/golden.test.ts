/**
 * Golden: plan in (golden/NAME.in.yaml), Envoy's resources out (golden/NAME.out.yaml), and Envoy itself takes them.
 * UPDATE_GOLDEN=1 writes the outputs again; review the difference. The `sds_config` in them may never change (operator-anchors C.2).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse, stringify } from 'yaml';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { type Pki, createPki } from '../../e2e/parts/pki.ts';
import type { IngressPlan } from '../plan/ingress-plan.ts';
import { bootstrap } from './bootstrap.ts';
import type { DeltaResponse } from './control-plane/messages.ts';
import { encoder } from './control-plane/encode.ts';
import { loadProtos } from './control-plane/protos.ts';
import { messages, typeUrl } from './control-plane/snapshot.ts';
import { snapshots } from './control-plane/snapshots.ts';
import { framed, outgoing } from './control-plane/wire.ts';
import { envoyResources } from './resources/resources.ts';

const golden = join(import.meta.dirname, 'golden');
const folder = mkdtempSync(join(tmpdir(), 'drimbox-golden-'));
const address = { host: '192.0.2.1', port: 443 };
const root = await loadProtos();
const encode = encoder(root);
let pki: Pki;

test.before(async () => {
  pki = await createPki(join(folder, 'pki'));
});

test.after(() => rmSync(folder, { recursive: true }));

/** Real PEM where the plan has names. */
async function material(text: string): Promise<string> {
  let filled = text
    .replaceAll('"internal-ca"', JSON.stringify(readFileSync(pki.bundleFile, 'utf8')))
    .replaceAll('"anchors"', JSON.stringify(readFileSync(pki.bundleFile, 'utf8')))
    .replaceAll('"crls"', JSON.stringify(readFileSync(pki.crlBundleFile, 'utf8')));
  for (const [, name = ''] of text.matchAll(/"pem:([^"]+)"/g)) {
    const issued = await pki.issue({ commonName: name, organizationalUnit: '1', kind: 'SERV_SSL' });
    filled = filled
      .replaceAll(`"pem:${name}"`, JSON.stringify(issued.chainPem))
      .replaceAll(`"key:${name}"`, JSON.stringify(issued.keyPem));
  }
  return filled;
}

interface Received {
  readonly resources: readonly {
    readonly name: string;
    readonly version: string;
    readonly resource: { readonly type_url: string; readonly value: Uint8Array };
  }[];
}

/** What a proxy reads of a message that is put together as grpc-js has it done. */
function received(message: Buffer): Received {
  const whole = Buffer.alloc(message.byteLength);
  message.copy(whole, 0);
  const type = root.lookupType('envoy.service.discovery.v3.DeltaDiscoveryResponse');
  return type.toObject(type.decode(whole), { arrays: true }) as Received;
}

function validate(config: object): void {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  try {
    execFileSync(findEnvoy(), ['--mode', 'validate', '--config-path', file], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(String((error as { readonly stderr?: string }).stderr), { cause: error });
  }
}

const start = bootstrap({
  nodeId: 'golden',
  controlPlaneSocket: '/run/drimbox/xds.sock',
  adminSocket: '/run/drimbox/admin.sock',
  maxHeapBytes: 1_073_741_824,
  maxConnections: 20_000,
});

for (const file of readdirSync(golden).filter((name) => name.endsWith('.in.yaml'))) {
  const name = file.replace('.in.yaml', '');
  const plan = parse(readFileSync(join(golden, file), 'utf8')) as IngressPlan;

  test(`golden: ${name}`, () => {
    const text = stringify(envoyResources(plan, address), { lineWidth: 0, aliasDuplicateObjects: false });
    const out = join(golden, `${name}.out.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(out, text);
    assert.ok(existsSync(out), `${out} is missing: run with UPDATE_GOLDEN=1 and review it`);
    assert.fixture(text, readFileSync(out, 'utf8'));
  });

  test(`Envoy takes what is made of ${name}`, async () => {
    const real = JSON.parse(await material(JSON.stringify(plan))) as IngressPlan;
    const { clusters, listeners, secrets } = envoyResources(real, address);
    const fixed = (start as { readonly static_resources: { readonly clusters: readonly object[] } }).static_resources;
    validate({
      ...start,
      static_resources: { clusters: [...fixed.clusters, ...clusters], listeners, secrets },
    });
  });

  test(`${name}: the same plan in any order of its fields gives the same bytes`, async () => {
    const turned = JSON.parse(JSON.stringify(plan), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toReversed())
        : value,
    ) as IngressPlan;
    const snapshotOf = snapshots(root, encode, address);
    assert.equal(await snapshotOf(turned), await snapshotOf(plan));
  });

  test(`${name}: what is put together of encoded parts says what the resources say`, async () => {
    const snapshot = await snapshots(root, encode, address)(plan);
    const { clusters, listeners, secrets } = envoyResources(plan, address);
    for (const [type, resources] of Object.entries({ cluster: clusters, listener: listeners, secret: secrets })) {
      if (type !== 'cluster' && type !== 'listener' && type !== 'secret') continue;
      const message = root.lookupType(messages[type]);
      const said = (bytes: Uint8Array): object => message.toObject(message.decode(bytes), { bytes: String });
      const versions = new Map([...snapshot[type]].map(([key, { version }]) => [key, version]));
      const response: DeltaResponse = { type, nonce: '7', resources: versions, removed: ['gone'] };
      const sent = received(framed(outgoing(root)(response, snapshot, 'round 1')));
      assert.equal(
        {
          ...sent,
          resources: sent.resources.map(({ name, version, resource }) => [name, version, said(resource.value)]),
        },
        {
          system_version_info: 'round 1',
          type_url: typeUrl(type),
          nonce: '7',
          removed_resources: ['gone'],
          removed_resource_names: [],
          resources: resources.map((one) => [one.name, versions.get(one.name), said(encode(messages[type], one))]),
        },
      );
      assert.ok(sent.resources.every(({ resource }) => resource.type_url === typeUrl(type)));
    }
  });
}

test('a field or a value that the API does not have is an error that says where', () => {
  const cluster = 'envoy.config.cluster.v3.Cluster';
  assert.throws(() => encode(cluster, { name: 'a', typo: 1 }), /Cluster\.typo: .* has no such field/);
  assert.throws(() => encode(cluster, { type: 'NONE' }), /Cluster\.type: .* has no value "NONE"/);
  assert.throws(() => encode(cluster, { connect_timeout: '5' }), /connect_timeout: expected a duration/);
});

test.run();
