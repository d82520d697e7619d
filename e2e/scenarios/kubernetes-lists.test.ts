/** The list on a real API server: unaltered in each namespace with sites, followed, kept while its publisher is away, withdrawn when too old. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPacked } from '../../common/contract/packed-file.ts';
import { type RegionWorld, listOf, openRegionWorld, operatorNamespace, siteNamespace } from '../bench/region-world.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import type { Issued } from '../parts/pki.ts';
import { freePort } from '../parts/ports.ts';
import { type Json, fqdnOf, pathOf } from '../parts/region.ts';
import { type ListedDomain, signWhitelist } from '../parts/whitelist.ts';
import {
  allReady,
  change,
  look,
  objectPath,
  ownObjects,
  patience,
  type Seen,
  untilVerdict,
  verdict,
} from './kubernetes-seen.ts';
import { until } from './site.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-kubernetes-lists-'));
const structureId = '1750000001';
const listMap = 'drimbox-whitelist-test';
const trustPath = pathOf('TrustSpace', undefined, 'test');
const linkPath = (site: number): string => pathOf('PacsLink', siteNamespace, `site-${site}-pacs-1`);

let world: RegionWorld;
let operator: ClusterOperatorPart;
let controlPort: number;
let signer: Issued;
let refreshes = 0;

const start = async (): Promise<void> => {
  operator = await world.startOperator('operator-a', ['--control', `127.0.0.1:${controlPort}`]);
};

async function refresh(): Promise<void> {
  refreshes += 1;
  await change(world.kube, trustPath, { metadata: { annotations: { 'drimbox.dev/refresh': `${refreshes}` } } });
}

function listOfSites(more: readonly ListedDomain[] = []): Buffer {
  const own = [1, 2].map((site) => ({
    db: fqdnOf('db', site, 1),
    vi: fqdnOf('vi', site, 1),
    commonName: fqdnOf('db', site, 1),
    organizationalUnit: structureId,
  }));
  return signWhitelist({ domains: [...own, ...more], signer, pki: world.region.pki });
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What a gateway finds in its volume, put together as it would. */
async function publishedList(): Promise<Buffer | undefined> {
  const folder = mkdtempSync(join(directory, 'volume-'));
  for (const [key, { data, binaryData }] of await ownObjects(world.kube, [siteNamespace])) {
    if (!key.startsWith(`configmaps ${siteNamespace}/${listMap}`)) continue;
    for (const [name, text] of Object.entries(data ?? {})) writeFileSync(join(folder, name), text);
    for (const [name, text] of Object.entries(binaryData ?? {}))
      writeFileSync(join(folder, name), Buffer.from(text, 'base64'));
  }
  return await readPacked(join(folder, 'whitelist.xml')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    // Between two of several parts: the whole comes with the next look.
    if (error.code?.startsWith('Z_') === true) return undefined;
    throw error;
  });
}

async function untilPublished(list: Buffer): Promise<void> {
  await until(
    'the list in the namespace',
    async () => {
      const found = await publishedList();
      return found !== undefined && digest(found) === digest(list);
    },
    patience,
  );
}

test.before(async () => {
  world = await openRegionWorld({ sites: 2, pacs: 1 });
  signer = await world.region.pki.issue({
    commonName: 'Liste Blanche DRIM-M',
    organizationalUnit: structureId,
    kind: 'SIGN',
  });
  controlPort = await freePort();
  await start();
  await world.startEnvoy([{ ...operator, controlPort }]);
  await world.applySites(2);
  await until('every site and link Ready', async () => await allReady(world), patience);
});

test.after(async () => {
  await world.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('the list stands unaltered in the namespace of its sites; a newer one follows when asked for, also a large one', async () => {
  const { region } = world;
  const lists = (): number => region.whitelist.requests.get('/liste-blanche.xml') ?? 0;
  const small = listOfSites();
  region.whitelist.publish(small);
  const before = lists();
  await refresh();
  await until('asked at once', () => lists() > before, patience);
  await untilPublished(small);
  const many = Array.from({ length: 1500 }, (_, index) => {
    const name = digest(Buffer.from(`${index}`));
    const db = `db.${name.slice(0, 40)}.example`;
    return { db, vi: `vi.${name.slice(0, 40)}.example`, commonName: db, organizationalUnit: structureId };
  });
  const large = listOfSites(many);
  assert.ok(large.length > 200_000);
  region.whitelist.publish(large);
  await refresh();
  await untilPublished(large);
  const parts = (await look(world.kube, objectPath('configmaps', siteNamespace, listMap)))?.binaryData ?? {};
  assert.equal(Object.keys(parts), ['whitelist.xml.gz.0']);
  // Written by itself, beside the list.
  const told = async (): Promise<unknown> => (await look(world.kube, trustPath))?.status?.['whitelist'];
  await until('its size', async () => ((await told()) as Json | undefined)?.['domains'] === many.length + 2, patience);
});

test('a list that nobody signed stays outside, and the one in force stays', async () => {
  const { region, kube } = world;
  const inForce = await publishedList();
  region.whitelist.publish(
    Buffer.from(listOfSites().toString('utf8').replace('versionFormat="1.0.0"', 'versionFormat="1.0.1"')),
  );
  await refresh();
  await until(
    'refused',
    async () => verdict(await look(kube, trustPath), 'WhitelistVerified')?.startsWith('False') === true,
    patience,
  );
  assert.equal(digest((await publishedList()) ?? Buffer.alloc(0)), digest(inForce ?? Buffer.alloc(1)));
  region.whitelist.publish(listOfSites());
  await refresh();
  await untilVerdict(world.kube, trustPath, 'WhitelistVerified', 'True Verified');
});

interface Document {
  readonly fetchedAt?: string;
  readonly confirmedAt?: string;
  readonly url?: string;
}

/** As if the list had been had so long ago: what the operator wrote down is changed while none runs. */
async function age(hours: number): Promise<number> {
  const then = new Date(Date.now() - hours * 3_600_000).toISOString();
  let aged = 0;
  for (const item of await listOf(world.kube, objectPath('configmaps', operatorNamespace))) {
    const { metadata, data } = item as Seen; // as the API server's schema has it
    const text = data?.['document'];
    if (text?.startsWith('{') !== true) continue;
    const document = JSON.parse(text) as Document;
    const isList = document.confirmedAt !== undefined || document.url === world.region.whitelist.listUrl;
    if (!isList) continue;
    const next = {
      ...document,
      ...(document.confirmedAt !== undefined && { confirmedAt: then }),
      ...(document.fetchedAt !== undefined && { fetchedAt: then }),
    };
    const path = objectPath('configmaps', operatorNamespace, metadata.name);
    await change(world.kube, path, { data: { document: JSON.stringify(next) } });
    aged += 1;
  }
  return aged;
}

test('with its publisher away a new operator has the list; too old it is withdrawn, and comes back with the publisher', async () => {
  const { region, kube } = world;
  const inForce = await publishedList();
  assert.ok(inForce);
  region.whitelist.setAvailable(false);
  await operator.stop();
  await start();
  await untilVerdict(world.kube, trustPath, 'WhitelistVerified', 'True Verified');
  await untilVerdict(world.kube, linkPath(1), 'IngressProgrammed', 'True Programmed');
  assert.is(digest((await publishedList()) ?? Buffer.alloc(0)), digest(inForce));

  const { metadata } = await change(kube, trustPath, { spec: { whitelist: { maximumAgeHours: 72 } } });
  await operator.stop();
  assert.is(await age(100), 2);
  await start();
  await until(
    'withdrawn',
    async () =>
      verdict(await look(kube, trustPath), 'WhitelistVerified') === 'False Stale' &&
      (await publishedList()) === undefined,
    patience,
  );
  assert.is((await look(kube, trustPath))?.status?.observedGeneration, metadata.generation);
  region.whitelist.setAvailable(true);
  await refresh();
  await untilPublished(inForce);
  await untilVerdict(world.kube, trustPath, 'WhitelistVerified', 'True Verified');
});

test.run();
