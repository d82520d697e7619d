/**
 * The product as its user starts it, through Envoy: callers who may not have the images, and parts that die while a series is under
 * way. A client never takes a truncated series for a whole one, nothing leaks, the next request works.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createNarrator } from '../demo/narrator.ts';
import { type DemoResult, type DemoWorld, openWorld, runMainJob } from '../demo/scenario.ts';
import { namespace, professional } from '../demo/world.ts';
import { fetchSeries, type SeriesAnswer, type SeriesCall } from '../parts/drimbox-client.ts';
import { gatewayPage } from '../parts/operator.ts';
import { type Orthanc, startOrthanc } from '../parts/orthanc.ts';
import type { Issued } from '../parts/pki.ts';
import { until } from './site.ts';

const images = 400;
// a short path: Envoy's sockets live below it
const directory = mkdtempSync('/tmp/drimbox-i-');
const narrator = createNarrator(true);
const world: DemoWorld = await openWorld(directory, images, narrator);
const result: DemoResult = await runMainJob(world, narrator, () => undefined);
const restarted: { orthanc: Orthanc | undefined } = { orthanc: undefined };
const scenarios = suite('through the ingress');

scenarios.after(async () => {
  await restarted.orthanc?.stop();
  await world.stop();
  rmSync(directory, { recursive: true, force: true });
});

const { services, sites, ports } = world;
const [nord, sud] = sites;
const listed = sud?.spec.links[0]?.db.certificate;
if (!nord || !listed) throw new Error('the demo has two sites');
const token = (): Promise<string> => services.psc.tokenFor(professional.id, 'viewer-demo');

async function call(over: Partial<SeriesCall> = {}, certificate: Issued = listed as Issued): Promise<SeriesAnswer> {
  return await fetchSeries({
    url: result.artefacts.retrieveUrl,
    connectTo: { host: '127.0.0.1', port: ports.public },
    certificateFile: certificate.certificateFile,
    keyFile: certificate.keyFile,
    caFile: services.pki.bundleFile,
    token: await token(),
    kosSopInstanceUid: result.kos.sopInstanceUid,
    ...over,
  });
}

async function assertWorks(): Promise<void> {
  const answer = await call();
  assert.is(answer.status, 200, answer.body);
  assert.is(answer.parts.length, images);
}

const codeOf = (answer: SeriesAnswer): string => (JSON.parse(answer.body) as { code: string }).code;

scenarios('the main job passed on the way here', () => {
  assert.ok(result.ok, JSON.stringify({ ...result, artefacts: undefined }));
});

scenarios('a certificate that is not listed: 401, E1102', async () => {
  const stranger = await services.pki.issue({
    commonName: 'db7.stranger.example',
    organizationalUnit: '1750000007',
    kind: 'SERV_SSL',
  });
  const answer = await call({}, stranger);
  assert.is(answer.status, 401);
  assert.is(codeOf(answer), 'E1102');
});

scenarios('a listed name under another structure: 401', async () => {
  const impostor = await services.pki.issue({
    commonName: listed.commonName,
    organizationalUnit: '1750000007',
    kind: 'SERV_SSL',
  });
  assert.is((await call({}, impostor)).status, 401);
});

scenarios('a foreign, an expired and a missing certificate: the handshake is refused', async () => {
  const { pki } = services;
  const names = {
    commonName: listed.commonName,
    organizationalUnit: listed.organizationalUnit,
    kind: 'SERV_SSL',
  } as const;
  const foreign = await pki.issue({ ...names, issuer: pki.foreign });
  const expired = await pki.issue({ ...names, notAfter: new Date(Date.now() - 60_000) });
  for (const certificate of [foreign, expired]) {
    const outcome = await call({}, certificate).then(
      (answer) => `HTTP ${answer.status}`,
      () => 'refused',
    );
    assert.is(outcome, 'refused');
  }
  const bare = await fetchSeries({
    url: result.artefacts.retrieveUrl,
    connectTo: { host: '127.0.0.1', port: ports.public },
    caFile: pki.bundleFile,
  }).then(
    (answer) => `HTTP ${answer.status}`,
    () => 'refused',
  );
  assert.is(bare, 'refused');
  await assertWorks();
});

scenarios('a header that claims to be someone else is replaced by the ingress', async () => {
  const stranger = await services.pki.issue({
    commonName: 'db6.stranger.example',
    organizationalUnit: '1750000006',
    kind: 'SERV_SSL',
  });
  const forged = `Hash=00;Subject="CN=${listed.commonName},OU=${listed.organizationalUnit}"`;
  for (const headers of [
    { 'x-forwarded-client-cert': forged },
    { 'x-forwarded-client-cert': [forged, forged] },
    { 'x-forwarded-client-cert': forged, connection: 'x-forwarded-client-cert' },
  ]) {
    const answer = await call({ headers }, stranger);
    assert.is(answer.status, 401, JSON.stringify(headers));
  }
});

scenarios('another tenant by Host on this connection: refused', async () => {
  const answer = await call({ host: `db1.sud.demo.example:${ports.public}` });
  assert.ok([404, 421].includes(answer.status), String(answer.status));
});

scenarios('a wrong KOS id: 404, E1103; an inactive token: 403, E1003', async () => {
  const wrong = await call({ kosSopInstanceUid: '2.25.1' });
  assert.is(wrong.status, 404);
  assert.is(codeOf(wrong), 'E1103');
  const spent = await token();
  services.psc.revoke(spent);
  const inactive = await call({ token: spent });
  assert.is(inactive.status, 403);
  assert.is(codeOf(inactive), 'E1003');
});

/** Starts a series, does `trouble` when the first image is there, and says how it ended. */
async function troubled(trouble: () => void, over: Partial<SeriesCall> = {}): Promise<string> {
  let done = false;
  return await call({
    pauseMs: 1,
    onPart: () => {
      if (!done) trouble();
      done = true;
    },
    ...over,
  }).then(
    ({ parts }) => (parts.length === images ? 'whole' : `accepted ${parts.length} of ${images}`),
    () => 'broken',
  );
}

scenarios('the client leaves in the middle, ten times: nothing is held', async () => {
  for (let n = 0; n < 10; n++) {
    const abort = new AbortController();
    assert.is(await troubled(() => abort.abort(), { signal: abort.signal }), 'broken');
  }
  await assertWorks();
});

scenarios('Envoy is killed in the middle: the client sees a broken stream, and Envoy comes back', async () => {
  const envoy = world.operator.status()?.processes.find(({ name }) => name === 'envoy');
  assert.ok(envoy?.pid);
  assert.is(await troubled(() => void process.kill(envoy.pid ?? 0, 'SIGKILL')), 'broken');
  await until('Envoy serving again', () =>
    call().then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  await assertWorks();
});

scenarios(
  'the gateway is killed in the middle: the client sees a broken stream, and the gateway comes back',
  async () => {
    const gateway = world.operator.status()?.processes.find(({ name }) => name.includes('nord'));
    assert.ok(gateway?.pid);
    assert.is(await troubled(() => void process.kill(gateway.pid ?? 0, 'SIGKILL')), 'broken');
    await until('the gateway serving again', () =>
      call().then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    await assertWorks();
  },
);

scenarios(
  'the PACS is killed in the middle: the client sees a broken stream; the PACS back, the next request works',
  async () => {
    const { orthanc } = nord;
    assert.is(await troubled(() => orthanc.part.kill('SIGKILL')), 'broken');
    await orthanc.part.ended;
    const { status } = await call();
    assert.ok([502, 504].includes(status), String(status));
    const modalities = Object.fromEntries(
      (nord.spec.links[0]?.aeTitlePool ?? []).map((aeTitle) => [
        aeTitle,
        { aeTitle, host: '127.0.0.1', port: nord.spec.dimsePort },
      ]),
    );
    restarted.orthanc = await startOrthanc({
      directory: join(directory, 'pacs-nord'),
      noDelay: true,
      modalities,
      aeTitle: orthanc.aeTitle,
      ports: { dicom: orthanc.dicomPort, http: orthanc.httpPort },
    });
    await until('the series again', () =>
      call().then(
        (answer) => answer.status === 200,
        () => false,
      ),
    );
    await assertWorks();
  },
);

scenarios('a revoked certificate is refused once the CRL says so, and the others pass', async () => {
  const { pki } = services;
  const leaving = await pki.issue({
    commonName: listed.commonName,
    organizationalUnit: listed.organizationalUnit,
    kind: 'SERV_SSL',
  });
  assert.is((await call({}, leaving)).status, 200);
  await pki.revoke(leaving);
  world.operator.kill('SIGHUP'); // fetch list and CRLs now
  await until('the revocation in force', () =>
    call({}, leaving).then(
      () => false,
      () => true,
    ),
  );
  await assertWorks();
});

scenarios('after all that nothing is left open in the gateway', async () => {
  await sleep(500);
  const metrics = await gatewayPage(world.operator.state, `${namespace}/nord`, '/metrics');
  assert.match(metrics, /drimbox_retrieves_total\{pacs="pacs-nord",outcome="success",code=""\} [1-9]/);
  const status = world.operator.status();
  assert.ok(status?.processes.every(({ running }) => running));
});

scenarios.run();
