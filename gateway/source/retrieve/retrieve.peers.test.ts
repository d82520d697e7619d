/** WADO-RS as a remote DRIMbox sees it: a real PACS behind, mutual TLS, whitelist, tokens introspected at a real HTTPS endpoint. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PacsConfig } from '../../../common/contract/gateway-config.ts';
import type { Whitelist } from '../../../common/whitelist/whitelist.ts';
import { fetchSeries, type SeriesCall } from '../../../e2e/parts/drimbox-client.ts';
import { createPki } from '../../../e2e/parts/pki.ts';
import { startProSanteConnect } from '../../../e2e/parts/pro-sante-connect.ts';
import type { GeneratedStudy } from '../../../e2e/parts/studies.ts';
import type { Pacs } from '../../dicom/pacs.ts';
import {
  closeOpened,
  ct,
  mr,
  openBench,
  orthanc,
  peerOf,
  pynetdicom,
  removeFiles,
  sr,
  study,
  uid,
} from '../../dicom/real-pacs.testing.ts';
import { createIntrospection } from '../../identity/introspection.ts';
import type { ArchivedManifest } from '../archive/manifest-lookup.ts';
import { startRetrieveServer } from './retrieve-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-retrieve-'));
const fqdn = 'db1.site.example';
const pki = await createPki(directory);
const server = await pki.issue({
  commonName: fqdn,
  organizationalUnit: '1750000001',
  kind: 'SERV_SSL',
  names: ['localhost'],
});
const caller = await pki.issue({
  commonName: 'db9.caller.example',
  organizationalUnit: '1750000009',
  kind: 'SERV_SSL',
});
const unlisted = await pki.issue({
  commonName: 'db8.other.example',
  organizationalUnit: '1750000008',
  kind: 'SERV_SSL',
});
const revoked = await pki.issue({
  commonName: 'db9.caller.example',
  organizationalUnit: '1750000009',
  kind: 'SERV_SSL',
});
const foreign = await pki.issue({
  commonName: 'db9.caller.example',
  organizationalUnit: '1750000009',
  kind: 'SERV_SSL',
  issuer: pki.foreign,
});
const expired = await pki.issue({
  commonName: 'db9.caller.example',
  organizationalUnit: '1750000009',
  kind: 'SERV_SSL',
  notAfter: new Date(Date.now() - 60_000),
});
await pki.revoke(revoked);
const pscServer = await pki.issue({ commonName: 'localhost', organizationalUnit: '1', kind: 'SERV_SSL' });
const pscClient = await pki.issue({ commonName: 'drimbox-client', organizationalUnit: '1750000001', kind: 'AUTH_CLI' });
const professional = '899999999901';
const psc = await startProSanteConnect({
  pki,
  server: pscServer,
  clients: { 'drimbox-client': 'drimbox-client', viewer: 'viewer' },
  professionals: { [professional]: { family: 'MODELE', given: 'Zoé', structureId: '1750000009' } },
});
const introspection = createIntrospection(
  {
    mode: 'rfc7662',
    url: psc.introspectionUrl,
    trustFile: pki.bundleFile,
    client: { certificateFile: pscClient.certificateFile, keyFile: pscClient.keyFile },
    clientId: 'drimbox-client',
    timeoutMs: 3_000,
  },
  { now: () => new Date() },
);

const list: Whitelist = {
  generatedAt: '2026-01-01T00:00:00Z',
  signedAt: '2026-01-01T00:00:00Z',
  signer: { commonName: 's', organizationalUnit: 'o', issuer: '', serial: '', notAfter: '' },
  revocation: 'good',
  domains: [
    {
      db: 'db9.caller.example',
      vi: '',
      commonName: 'db9.caller.example',
      organizationalUnit: '1750000009',
      denomination: '',
    },
  ],
};

const kos = uid('2.25.777');
function manifest(series: readonly GeneratedStudy[], over: Partial<ArchivedManifest> = {}): ArchivedManifest {
  return {
    studyInstanceUid: study,
    kosSopInstanceUid: kos,
    status: 'published',
    pacs: 'pacs',
    structureId: '1750000001',
    series: new Map(
      series.map((one) => [
        uid(one.seriesUid),
        {
          seriesInstanceUid: uid(one.seriesUid),
          modality: one.modality,
          instances: new Map(
            one.instances.map((instance) => [uid(instance.sopInstanceUid), uid(instance.sopClassUid)]),
          ),
        },
      ]),
    ),
    ...over,
  };
}

interface World {
  archived: ArchivedManifest | undefined;
  ownListed: boolean;
  readonly bench: Awaited<ReturnType<typeof openBench>>;
  readonly pacs: Pacs;
  readonly call: (
    series: { readonly seriesUid: string },
    over?: Partial<SeriesCall>,
  ) => Promise<Awaited<ReturnType<typeof fetchSeries>>>;
  readonly names: () => readonly string[];
  readonly code: () => string;
  readonly port: number;
}

const token = await psc.tokenFor(professional, 'viewer');
const closing: (() => Promise<void>)[] = [];

async function world(
  pacsOf: (bench: World['bench']) => Promise<Pacs>,
  config: Partial<PacsConfig> = {},
): Promise<World> {
  const bench = await openBench();
  const pacs = await pacsOf(bench);
  const state: World = {
    archived: manifest([ct, mr, sr]),
    ownListed: true,
    bench,
    pacs,
    port: 0,
    call: (series, over = {}) =>
      fetchSeries({
        url: `https://${fqdn}/dicom-web-rs/studies/${study}/series/${series.seriesUid}`,
        connectTo: { host: '127.0.0.1', port: retrieve.address.port },
        certificateFile: caller.certificateFile,
        keyFile: caller.keyFile,
        caFile: pki.bundleFile,
        token,
        kosSopInstanceUid: kos,
        ...over,
      }),
    names: () => bench.events.map(({ name }) => name),
    code: () =>
      bench.events
        .flatMap((event) => (event.name.startsWith('Retrieve') && 'code' in event ? [event.code] : []))
        .at(-1) ?? '',
  };
  const pacsConfig: PacsConfig = {
    name: 'pacs',
    host: '127.0.0.1',
    port: 1,
    aeTitle: 'PACS',
    callingAeTitle: 'DRIMBOX',
    aeTitlePool: ['DRIM1'],
    wadoFqdn: fqdn,
    viewerFqdn: 'vi1.site.example',
    publicPort: 443,
    retrieveLocationUid: '1.2.3',
    relationalQueries: 'auto',
    maxConcurrentMoves: 1,
    connectTimeoutMs: 1000,
    responseTimeoutMs: 1000,
    excludedSopInstanceRoots: [],
    patientChecks: true,
    ...config,
  };
  const retrieve = await startRetrieveServer({
    listen: {
      host: '127.0.0.1',
      port: 0,
      tls: {
        mode: 'direct',
        server: { certificateFile: server.certificateFile, keyFile: server.keyFile },
        clientCaFile: pki.bundleFile,
        crlFile: pki.crlBundleFile,
      },
    },
    pacsByFqdn: (host) => (host === fqdn ? { client: pacs, config: pacsConfig } : undefined),
    manifests: { find: (_pacs, wanted) => Promise.resolve(wanted === study ? state.archived : undefined) },
    introspection,
    whitelist: { current: () => ({ list }), isOwnListed: () => state.ownListed },
    journal: { record: (event) => void bench.events.push(event) },
    newRequestId: () => 'r',
  });
  closing.push(() => retrieve.close(0));
  return state;
}

test.after.each(async () => {
  for (const close of closing.splice(0)) await close();
  await closeOpened();
});
test.after(async () => {
  await introspection.close();
  await psc.close();
  await removeFiles();
  rmSync(directory, { recursive: true });
});

const realPacs = (noDelay: boolean) => async (bench: World['bench']) =>
  bench.pacs(peerOf(await orthanc(bench, `o${Math.random()}`, { noDelay })));

function assertIdentical(answer: Awaited<ReturnType<typeof fetchSeries>>, series: GeneratedStudy): void {
  assert.is(answer.status, 200, answer.body);
  const wanted = new Map(series.instances.map((instance) => [instance.sopInstanceUid, instance.sha256]));
  assert.is(answer.parts.length, wanted.size);
  for (const part of answer.parts) assert.is(part.dataSetSha256, wanted.get(part.sopInstanceUid), part.sopInstanceUid);
}

test('a series arrives whole and identical, each part with its own transfer syntax', async () => {
  const { call, names } = await world(realPacs(true));
  const answer = await call(ct);
  assertIdentical(answer, ct);
  assert.equal(
    [...new Set(answer.parts.map(({ transferSyntaxUid }) => transferSyntaxUid))],
    ['1.2.840.10008.1.2.4.80'],
  );
  assert.ok(names().includes('RetrieveCompleted'));
});

test('series asked for at the same time never mix', async () => {
  const { call } = await world(realPacs(false));
  const [first, second, third] = await Promise.all([call(ct), call(mr), call(sr)]);
  assertIdentical(first, ct);
  assertIdentical(second, mr);
  assertIdentical(third, sr);
});

test('refusals come in the order and with the codes of the specification', async () => {
  const context = await world(realPacs(true));
  const { call, code } = context;
  const expectRefusal = async (
    status: number,
    expected: string,
    over: Partial<SeriesCall> = {},
    series: { seriesUid: string } = ct,
  ): Promise<void> => {
    const answer = await call(series, over);
    assert.is(answer.status, status, `${expected}: ${answer.body}`);
    assert.is((JSON.parse(answer.body) as { code: string }).code, expected);
    assert.is(code(), expected);
  };
  await expectRefusal(401, 'E1102', { certificateFile: unlisted.certificateFile, keyFile: unlisted.keyFile });
  await expectRefusal(403, 'E1003', { token: '' });
  await expectRefusal(403, 'E1003', { token: 'not-a-token' });
  const spent = await psc.tokenFor(professional, 'viewer');
  psc.revoke(spent);
  await expectRefusal(403, 'E1003', { token: spent });
  await expectRefusal(404, 'E1103', { kosSopInstanceUid: '2.25.1' });
  await expectRefusal(404, 'E1103', { headers: { 'kos-sopinstanceuid': [kos, kos] } });
  await expectRefusal(406, 'E1104', {
    accept: ['multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.5'],
  });
  await expectRefusal(410, 'E1002', {}, { seriesUid: '2.25.404' });
  context.archived = manifest([ct], { status: 'unpublished' });
  await expectRefusal(410, 'E1002');
  context.archived = undefined;
  await expectRefusal(404, 'E1001');
  context.ownListed = false;
  await expectRefusal(503, 'E1104');
});

test('the reference exam needs no KOS, and everything else', async () => {
  const context = await world(realPacs(true), { referenceStudyUid: study });
  context.archived = undefined;
  assertIdentical(await context.call(mr), mr);
  assert.is((await context.call(mr, { token: 'bad' })).status, 403);
});

test('other levels answer 405, another Host 421, OPTIONS the capabilities', async () => {
  const { call } = await world(realPacs(true));
  const instance = `https://${fqdn}/dicom-web-rs/studies/${study}/series/${ct.seriesUid}/instances/1.2`;
  const refused = await call(ct, { url: instance });
  assert.is(refused.status, 405);
  assert.is(refused.headers['allow'], 'GET');
  assert.is((await call(ct, { host: 'db2.other.example' })).status, 421);
  assert.is((await call(ct, { url: `https://${fqdn}/dicom-web-rs/studies/${study}` })).status, 405);
  const wadl = await call(ct, { url: `https://${fqdn}/`, method: 'OPTIONS' });
  assert.is(wadl.headers['content-type'], 'application/vnd.sun.wadl+xml');
  assert.match(wadl.body, 'studies/{studyUID}/series/{seriesUID}');
});

test('certificates that are revoked, foreign, expired or absent end in the handshake, with E1101', async () => {
  const { call, bench } = await world(realPacs(true));
  for (const certificate of [revoked, foreign, expired]) {
    const error = await call(ct, { certificateFile: certificate.certificateFile, keyFile: certificate.keyFile }).then(
      () => undefined,
      String,
    );
    assert.ok(error, 'the connection must break');
  }
  const refusals = bench.events.flatMap((event) => (event.name === 'HandshakeRefused' ? [event.detail] : []));
  assert.is(refusals.length, 3, refusals.join('; '));
  assert.match(refusals[0] ?? '', 'CERT_REVOKED');
});

test('the PACS is not there: 502; it stays silent: 504; the next request works', async () => {
  const { call, code } = await world((bench) =>
    Promise.resolve(bench.pacs({ aeTitle: 'NOBODY', host: '127.0.0.1', port: 1 })),
  );
  assert.is((await call(ct)).status, 502);
  assert.is(code(), 'E1004');
  for (const close of closing.splice(0)) await close();
  const silent = await world(async (bench) => {
    const pacs = await pynetdicom(bench, 'silent', { waitBeforeSeconds: 3 });
    return bench.pacs({ aeTitle: pacs.aeTitle, host: pacs.host, port: pacs.port }, { responseTimeoutMs: 1_000 });
  });
  assert.is((await silent.call(ct)).status, 504);
  assert.is(silent.code(), 'E1005');
});

test('a PACS that dies in the middle never makes a whole response', async () => {
  const { call, names } = await world(async (bench) => {
    const pacs = await pynetdicom(bench, 'dies', { dropAfter: 10 });
    return bench.pacs({ aeTitle: pacs.aeTitle, host: pacs.host, port: pacs.port });
  });
  const error = await call(ct).then(() => undefined, String);
  assert.ok(error, 'a cut series is an error');
  assert.ok(names().includes('RetrieveAborted'));
});

test('a PACS that leaves images out never makes a whole response', async () => {
  const { call, names } = await world(async (bench) => {
    const pacs = await pynetdicom(bench, 'omits', { omitAfter: 10 });
    return bench.pacs({ aeTitle: pacs.aeTitle, host: pacs.host, port: pacs.port });
  });
  const error = await call(ct).then(() => undefined, String);
  assert.ok(error, 'a short series is an error');
  assert.ok(names().includes('RetrieveAborted'));
});

test('instances that the KOS does not list stay inside', async () => {
  const context = await world(realPacs(true));
  const listed = { ...ct, instances: ct.instances.slice(0, 20) };
  context.archived = manifest([listed]);
  assertIdentical(await context.call(ct), listed);
});

test('a caller that leaves gives everything back: AE titles, associations', async () => {
  const { call, bench } = await world(realPacs(true));
  for (let n = 0; n < 4; n++) {
    const abort = new AbortController();
    await call(ct, { signal: abort.signal, onPart: () => abort.abort() }).then(
      () => assert.unreachable('it was aborted'),
      () => undefined,
    );
  }
  assertIdentical(await call(ct), ct);
  for (let n = 0; n < 100 && bench.receiver.associations > 0; n++) await sleep(50);
  assert.is(bench.receiver.associations, 0);
});

test('a slow caller slows the PACS down instead of filling memory', async () => {
  const { call } = await world(realPacs(true));
  const before = process.memoryUsage().arrayBuffers;
  let highest = 0;
  const timer = setInterval(() => (highest = Math.max(highest, process.memoryUsage().arrayBuffers)), 5);
  assertIdentical(await call(ct, { pauseMs: 2 }), ct);
  clearInterval(timer);
  // the series is 7.7 MB; what is held at once is a few PDUs and the client's own part
  assert.ok(highest - before < 64_000_000, `${highest - before} bytes of buffers`);
});

test('Pro Sante Connect unreachable: refused, never passed', async () => {
  const { call } = await world(realPacs(true));
  const fresh = await psc.tokenFor(professional, 'viewer');
  psc.setAvailable(false);
  try {
    assert.is((await call(ct, { token: fresh })).status, 403);
  } finally {
    psc.setAvailable(true);
  }
});

test.run();
