/** Sites, namespaces and whitelists that come and go on a cluster: what must go goes, what must stay stays, and others notice nothing. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, conditionOf, identityOf, isCurrent, objectsIn, seen } from '../cluster/objects.ts';
import { restrictedNamespace } from '../cluster/installation.ts';
import { type ClusterStage, openClusterStage } from '../cluster/stage.ts';
import { addStrangers, removeStrangers, shouldGetThrough, whoGetsThrough } from '../cluster/strangers.ts';
import {
  allKosOf,
  type Exam,
  fetchExam,
  fetchWhole,
  untilServed,
  publishExam,
  sendReport,
  whileDownloading,
} from '../cluster/traffic.ts';
import { createNarrator } from '../demo/narrator.ts';
import { fqdnOf, namespace } from '../demo/world.ts';
import { asked } from '../parts/cluster/api.ts';
import { type ListedDomain, signWhitelist } from '../parts/whitelist.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-objects-'));
const narrator = createNarrator(true);
const stage: ClusterStage = await openClusterStage({ directory: join(directory, 'stage'), images: 600, narrator });
const { cluster, services } = stage;
const exam: Exam = await publishExam(stage);
const scenarios = suite('objects of a cluster');

scenarios.after(async () => {
  await stage.stop();
  rmSync(directory, { recursive: true, force: true });
});

const kubectl = async (...args: readonly string[]): Promise<string> => await cluster.kubectl('-n', namespace, ...args);

const untilReady = async (space: string, ...names: readonly string[]): Promise<void> => {
  for (const name of names) await eventually(`${name} ready`, async () => isCurrent(await seen(cluster, space, name)));
};

/** Names of what stands in a namespace and mentions this, of the kinds of which a site is made. */
async function standing(space: string, mention: string): Promise<readonly string[]> {
  return (await objectsIn(cluster, space)).filter((name) => name.includes(mention));
}

const domains: readonly ListedDomain[] = stage.sites.map(({ spec }) => ({
  db: fqdnOf('db', spec.name),
  vi: fqdnOf('vi', spec.name),
  commonName: fqdnOf('db', spec.name),
  organizationalUnit: spec.structure.id,
}));

let refreshed = 0;
/** Published, and the operator told to look at once. */
async function publish(list: readonly ListedDomain[]): Promise<void> {
  const { signer, pki, whitelist } = services;
  whitelist.publish(signWhitelist({ domains: list, signer, pki }));
  refreshed += 1;
  await cluster.kubectl('annotate', 'trustspace', 'test', `drimbox.dev/refresh=${refreshed}`, '--overwrite');
}

async function untilAnswered(status: number, words = ''): Promise<void> {
  let last = '';
  const look = async (): Promise<boolean> => {
    const answer = await fetchExam(stage, exam);
    last = `${answer.status} ${answer.body}`;
    return answer.status === status && answer.body.includes(words);
  };
  await eventually(`${status} ${words}`, look).catch((error: unknown) => {
    throw new Error(`${String(error)}; lately ${last}`);
  });
}

scenarios('nobody gets through to a pod but those that its policies name', async () => {
  await addStrangers(cluster);
  let found: unknown;
  // Whoever may pass passes as soon as his address is known.
  await eventually('those who may pass', async () => {
    found = await whoGetsThrough(cluster);
    return isDeepStrictEqual(found, shouldGetThrough());
  }).catch(() => assert.equal(found, shouldGetThrough()));
  await removeStrangers(cluster);
});

scenarios('a whitelist without this DRIMbox turns its WADO-RS off; with it again, on again', async () => {
  const [nord, sud] = domains;
  if (nord === undefined || sud === undefined) throw new Error('the demo has two sites');
  await publish([sud]);
  await untilAnswered(503, 'E1104');
  await eventually(
    'the site says so',
    async () =>
      conditionOf(await seen(cluster, namespace, 'drimboxsite/nord'), 'WhitelistVerified')?.reason ===
      'OwnEntryMissing',
  );
  await publish(domains);
  await untilAnswered(200);
  await untilReady(namespace, 'drimboxsite/nord');
});

scenarios('a caller that is taken off the whitelist is refused', async () => {
  await publish(domains.slice(0, 1));
  await untilAnswered(401, 'E1102');
  await publish(domains);
  await untilAnswered(200);
});

scenarios('a whitelist of 1.5 MB reaches the gateways', async () => {
  const strangers = Array.from({ length: 2600 }, (_, index): ListedDomain => ({
    db: `db1.etablissement-${index}.example`,
    vi: `vi1.etablissement-${index}.example`,
    commonName: `db1.etablissement-${index}.example`,
    organizationalUnit: String(1_750_100_000 + index),
  }));
  await publish([...domains, ...strangers]);
  await eventually('the long list in force', async () => {
    const { message = '' } = conditionOf(await seen(cluster, namespace, 'drimboxsite/nord'), 'WhitelistVerified') ?? {};
    return message.startsWith(`${strangers.length + domains.length} domains`);
  });
  await fetchWhole(stage, exam);
  await publish(domains);
  await eventually('the short list in force', async () => {
    const { message = '' } = conditionOf(await seen(cluster, namespace, 'drimboxsite/nord'), 'WhitelistVerified') ?? {};
    return message.startsWith(`${domains.length} domains`);
  });
});

scenarios('a site deleted leaves nothing but its archive, which one of the same name finds', async () => {
  await kubectl('delete', 'drimboxsite', 'nord', '--wait=false');
  await eventually('only the claim stays', async () => {
    const left = await standing(namespace, 'drimbox-nord');
    return left.length === 1 && left[0] === 'persistentvolumeclaim/drimbox-nord-data';
  });
  await eventually(
    'its link says so',
    async () =>
      conditionOf(await seen(cluster, namespace, 'pacslink/pacs-nord'), 'Accepted')?.reason === 'SiteNotFound',
  );
  await kubectl('apply', '--server-side', '-f', join(stage.directory, 'resources/nord.yaml'));
  await untilReady(namespace, 'drimboxsite/nord', 'pacslink/pacs-nord');
  await untilServed(stage, exam);
  const submissions = services.dmp.submissions().length;
  await sendReport(stage, exam.study);
  await untilReady(namespace, 'drimboxsite/nord');
  assert.is(allKosOf(stage, exam.study).length, 1);
  assert.is(services.dmp.submissions().length, submissions);
});

scenarios('whenDeleted: Delete takes the archive along', async () => {
  const change = JSON.stringify({ spec: { storage: { whenDeleted: 'Delete' } } });
  await kubectl('patch', 'drimboxsite', 'sud', '--type=merge', '-p', change);
  const claim = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/drimbox-sud-data`;
  await eventually('the claim belongs to the site', async () => {
    const { metadata } = await asked<{ metadata: { ownerReferences?: readonly { kind: string }[] } }>(cluster, claim);
    return metadata.ownerReferences?.[0]?.kind === 'DrimboxSite';
  });
  await kubectl('delete', 'drimboxsite', 'sud', '--wait=false');
  await eventually('nothing stays', async () => (await standing(namespace, 'drimbox-sud')).length === 0);
  await kubectl('delete', 'pacslink', 'pacs-sud');
});

scenarios('a namespace deleted goes whole; the other one, and a download from it, notice nothing', async () => {
  const other = 'ght-other';
  const yaml = readFileSync(join(stage.directory, 'resources/sud.yaml'), 'utf8')
    .replaceAll(namespace, other)
    .replaceAll(/\n\s+(?:mllp|dimse)NodePort:[^\n]*/g, '')
    .replaceAll('type: NodePort', 'type: ClusterIP');
  const file = join(directory, 'other.yaml');
  writeFileSync(file, yaml);
  await restrictedNamespace(cluster, other);
  for (const name of ['sud-auth-cli', 'sud-sign', 'pacs-sud-db', 'pacs-sud-vi']) {
    const folder = join(stage.directory, 'resources/secrets', namespace, name);
    const files = [`--cert=${folder}/tls.crt`, `--key=${folder}/tls.key`];
    await cluster.kubectl('-n', other, 'create', 'secret', 'tls', name, ...files);
  }
  await cluster.kubectl('-n', other, 'apply', '--server-side', '-f', file);
  await untilReady(other, 'drimboxsite/sud', 'pacslink/pacs-sud');
  assert.is(await isServed(fqdnOf('db', 'sud')), true);
  const before = (await identityOf(cluster, 'gateway', 'ingress')).filter((pod) => !pod.startsWith('drimbox-sud'));
  await whileDownloading(stage, exam, async () => {
    await cluster.kubectl('delete', 'namespace', other, '--wait=false');
    const gone = async (): Promise<boolean> =>
      (await cluster.request('GET', `/api/v1/namespaces/${other}`)).status === 404;
    await eventually('the namespace is gone', gone).catch(async (error: unknown) => {
      const status = await cluster.kubectl('get', 'namespace', other, '-o', 'jsonpath={.status}');
      throw new Error(`${String(error)} ${status} ${(await standing(other, '')).join(' ')}`);
    });
    await eventually('the proxies serve the rest alone', async () => !(await isServed(fqdnOf('db', 'sud'))));
    assert.is(await isServed(fqdnOf('db', 'nord')), true);
  });
  assert.equal(await identityOf(cluster, 'gateway', 'ingress'), before);
  await untilReady(namespace, 'drimboxsite/nord', 'pacslink/pacs-nord');
  await fetchWhole(stage, exam);
});

/** Whether the ingress shows a certificate for this name. */
async function isServed(servername: string): Promise<boolean> {
  const socket = connect({ ...stage.ingress, servername, ca: readFileSync(services.pki.bundleFile) });
  try {
    await once(socket, 'secureConnect');
    return true;
  } catch {
    return false; // closed without a word: no chain of the proxy's is for this name
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

scenarios.run();
