/** What sites refer to, on a real API server: names that clash, Secrets and trust spaces that are missing, break and come back. */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RegionWorld, openRegionWorld, siteNamespace } from '../bench/region-world.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { type Issued, newKeys } from '../parts/pki.ts';
import { freePort } from '../parts/ports.ts';
import type { RegionEnvoy } from '../parts/region-envoy.ts';
import { type Json, applyResource, fqdnOf, pathOf, putSecret } from '../parts/region.ts';
import { allReady, change, look, objectPath, patience, untilVerdict, verdict } from './kubernetes-seen.ts';
import { until } from './site.ts';

const structureId = '1750000001';
const sitePath = (site: number): string => pathOf('DrimboxSite', siteNamespace, `site-${site}`);
const linkPath = (site: number, name = `site-${site}-pacs-1`): string => pathOf('PacsLink', siteNamespace, name);
const secretPath = (name: string): string => objectPath('secrets', siteNamespace, name);

let world: RegionWorld;
let operator: ClusterOperatorPart;
let controlPort: number;
let envoy: RegionEnvoy;

const start = async (): Promise<void> => {
  operator = await world.startOperator('operator-a', ['--control', `127.0.0.1:${controlPort}`]);
};

async function remove(path: string): Promise<void> {
  await world.kube.request('DELETE', path);
  await until(`${path} gone`, async () => (await look(world.kube, path)) === undefined, patience);
}

const issueFor = async (fqdn: string, kind: 'SERV_SSL' | 'MARKET' = 'SERV_SSL'): Promise<Issued> =>
  await world.region.pki.issue({ commonName: fqdn, organizationalUnit: structureId, kind });

/** A link of the region with other names. */
function linkLike(site: number, name: string, spec: Json): Json {
  const [, link] = world.region.sites[site - 1]?.documents ?? [];
  const limits = { maxConcurrentMoves: 1 };
  return {
    ...link,
    metadata: { namespace: siteNamespace, name },
    spec: { ...(link?.['spec'] as Json), limits, ...spec },
  };
}

const serialOf = (issued: Issued): string => new X509Certificate(Buffer.from(issued.certificate.rawData)).serialNumber;

/** Serial number of the certificate that the proxy shows for a name; it refuses us afterwards, we have none of our own. */
async function servedSerial(servername: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: world.publicPort, servername, rejectUnauthorized: false });
    socket.once('close', () => resolve(undefined));
    socket.on('error', () => socket.destroy()); // nobody listens for this name now
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber);
      socket.destroy();
    });
  });
}

test.before(async () => {
  world = await openRegionWorld({ sites: 2, pacs: 1 });
  controlPort = await freePort();
  await start();
  envoy = await world.startEnvoy([{ ...operator, controlPort }]);
});

test.after(async () => {
  await world.stop();
});

test('a site whose trust space and Secret are missing says so, and is served once both are made', async () => {
  const { kube, region } = world;
  const secret = await look(kube, secretPath('site-1-pacs-1-db'));
  await remove(secretPath('site-1-pacs-1-db'));
  for (const index of [0, 1]) await world.applySite(index);
  await untilVerdict(world.kube, sitePath(1), 'Accepted', 'False TrustSpaceNotFound');
  await applyResource(kube, region.trustSpace);
  await untilVerdict(world.kube, sitePath(1), 'Accepted', 'True Accepted');
  await untilVerdict(world.kube, linkPath(1), 'CertificatesReady', 'False SecretNotFound');
  await untilVerdict(world.kube, linkPath(1), 'IngressProgrammed', 'False NotServed');
  await untilVerdict(world.kube, linkPath(2), 'Ready', 'True Ready');
  await kube.request('POST', objectPath('secrets', siteNamespace), {
    metadata: { name: 'site-1-pacs-1-db' },
    type: secret?.['type'],
    data: secret?.data,
  });
  await until('every site and link Ready', async () => await allReady(world), patience);
});

test('of two links with one FQDN the older is served; when it goes, the newer is', async () => {
  const { kube } = world;
  const older = await look(kube, linkPath(2));
  await applyResource(
    kube,
    linkLike(1, 'newer', {
      aeTitlePool: ['NEWER'],
      retrieveLocationUid: '2.25.77',
      db: { fqdn: fqdnOf('db', 2, 1), certificate: { secretName: 'site-2-pacs-1-db' } },
      vi: { fqdn: 'vi-newer.region.example', certificate: { secretName: 'newer-vi' } },
    }),
  );
  await putSecret(kube, siteNamespace, 'newer-vi', await issueFor('vi-newer.region.example', 'MARKET'));
  await untilVerdict(world.kube, linkPath(1, 'newer'), 'Accepted', 'False FqdnClash');
  await untilVerdict(world.kube, linkPath(1, 'newer'), 'IngressProgrammed', 'False NotServed');
  const untouched = await look(kube, linkPath(2));
  assert.equal(untouched?.status?.conditions, older?.status?.conditions);
  await remove(linkPath(2));
  await untilVerdict(world.kube, linkPath(1, 'newer'), 'Accepted', 'True Accepted');
  await untilVerdict(world.kube, linkPath(1, 'newer'), 'IngressProgrammed', 'True Programmed');
  await remove(linkPath(1, 'newer'));
  // Who is gone has no condition to wait for, and Envoy keeps a secret as long as a chain that ends.
  await until(
    'the newer gone from the proxy',
    async () => !(await envoy.secrets()).includes('certificate/vi-newer_region_example'),
    patience,
  );
  await world.applySite(1);
  await until('every site and link Ready', async () => await allReady(world), patience);
});

test('an AE title of two links of one site is refused to the newer, and free again without the older', async () => {
  await applyResource(
    world.kube,
    linkLike(1, 'same-title', {
      aeTitlePool: ['DRIM1B'],
      retrieveLocationUid: '2.25.78',
      db: { fqdn: 'db-title.region.example', certificate: { secretName: 'title-db' } },
      vi: { fqdn: 'vi-title.region.example', certificate: { secretName: 'title-vi' } },
    }),
  );
  await untilVerdict(world.kube, linkPath(1, 'same-title'), 'Accepted', 'False AeTitleClash');
  await change(world.kube, linkPath(1, 'same-title'), { spec: { aeTitlePool: ['FREE'] } });
  await untilVerdict(world.kube, linkPath(1, 'same-title'), 'Accepted', 'True Accepted');
  await remove(linkPath(1, 'same-title'));
});

test('a Secret that breaks is told, and the last good certificate is served until it is mended', async () => {
  const { kube } = world;
  await until('every site and link Ready', async () => await allReady(world), patience);
  const served = (await envoy.secrets()).toSorted();
  const other = await issueFor(fqdnOf('db', 1, 1));
  const keyOf = (issued: Issued): string => Buffer.from(issued.keyPem).toString('base64');
  await change(kube, secretPath('site-1-pacs-1-db'), { data: { 'tls.key': keyOf(other) } });
  await until(
    'the break told',
    async () => verdict(await look(kube, linkPath(1)), 'CertificatesReady')?.startsWith('False') === true,
    patience,
  );
  const message = JSON.stringify((await look(kube, linkPath(1)))?.status?.conditions);
  assert.match(message, 'the last good one stays in service');
  await untilVerdict(world.kube, linkPath(1), 'IngressProgrammed', 'True Programmed');
  assert.equal((await envoy.secrets()).toSorted(), served);
  await remove(secretPath('site-1-pacs-1-db'));
  await untilVerdict(world.kube, linkPath(1), 'CertificatesReady', 'False SecretNotFound');
  await untilVerdict(world.kube, linkPath(1), 'IngressProgrammed', 'True Programmed');
  assert.equal((await envoy.secrets()).toSorted(), served);
  await putSecret(kube, siteNamespace, 'site-1-pacs-1-db', other);
  await untilVerdict(world.kube, linkPath(1), 'Ready', 'True Ready');
});

test('a certificate asked for by annotation: the request is in the status, its key in one Secret of the link alone; signed, it is served', async () => {
  const { kube, region } = world;
  await until('every site and link Ready', async () => await allReady(world), patience);
  await change(kube, linkPath(1), { metadata: { annotations: { 'drimbox.dev/request-certificate': 'db' } } });
  const requests = async (): Promise<readonly Json[]> =>
    ((await look(kube, linkPath(1)))?.status?.['certificateRequests'] ?? []) as readonly Json[];
  await until('the request', async () => (await requests()).length === 1, patience);
  const [request] = await requests();
  assert.is(request?.['kind'], 'db');
  const csr = new x509.Pkcs10CertificateRequest(String(request?.['csr']));
  assert.ok(await csr.verify());
  assert.not.match(JSON.stringify(await look(kube, linkPath(1))), 'PRIVATE KEY');
  const kept = await look(kube, secretPath('site-1-pacs-1-db-key'));
  assert.equal(
    kept?.metadata.ownerReferences?.map(({ kind, uid }) => ({ kind, uid })),
    [{ kind: 'PacsLink', uid: (await look(kube, linkPath(1)))?.metadata.uid }],
  );

  const { privateKey } = await newKeys(); // of whoever signs: what is written beside the certificate is not used
  const issued = await region.pki.issue({
    commonName: fqdnOf('db', 1, 1),
    organizationalUnit: structureId,
    kind: 'SERV_SSL',
    notBefore: new Date(Date.now() - 60_000),
    keys: { publicKey: await csr.publicKey.export(), privateKey },
  });
  await remove(secretPath('site-1-pacs-1-db'));
  await kube.request('POST', objectPath('secrets', siteNamespace), {
    metadata: { name: 'site-1-pacs-1-db' },
    data: { 'tls.crt': Buffer.from(issued.chainPem).toString('base64') },
  });
  await until('the request gone', async () => (await requests()).length === 0, patience);
  await untilVerdict(world.kube, linkPath(1), 'Ready', 'True Ready');
  await until('served', async () => (await servedSerial(fqdnOf('db', 1, 1))) === serialOf(issued), patience);
  // The annotation stands there still: what was asked for was had, and is not asked for again.
  assert.equal(await requests(), []);
});

test.run();
