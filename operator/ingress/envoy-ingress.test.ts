/** A real Envoy between real TLS clients and real TLS gateways: who passes, and what the gateway is told. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import { Agent, get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Issued } from '../../e2e/parts/pki.ts';
import { call } from './call.testing.ts';
import { type Stage, openStage } from './stage.testing.ts';

let stage: Stage;

const db = 'db.nord.example';
const vi = 'vi.nord.example';
const xfcc = 'x-forwarded-client-cert';

/** What the gateway of `nord` was told last, each value apart. */
function told(name: string): readonly string[] {
  return stage.gateways.nord.requests.at(-1)?.headersDistinct[name] ?? [];
}

test.before(async () => {
  stage = await openStage();
  await stage.apply(stage.plan);
});

test.after(async () => {
  await stage.stop();
});

test('a trusted certificate passes, and the gateway reads CN and OU in XFCC', async () => {
  const answer = await call(stage, { sni: db, client: stage.client });
  assert.equal([answer.status, answer.body], [200, 'nord']);
  assert.equal(
    told(xfcc).map((value) => value.replace(/Hash=[0-9a-f]{64}/, 'Hash=H').replace(/Cert="[^"]+"/, 'Cert="C"')),
    ['Hash=H;Cert="C";Subject="CN=db.conso.example,OU=1750000002,O=STRUCTURE SYNTHETIQUE,ST=Paris (75),C=FR"'],
  );
  assert.equal([...stage.gateways.nord.callers], [`DNS:${stage.ingressName}`]);
});

test('nothing in the answer tells what proxy it passed', async () => {
  const { headers } = await call(stage, { sni: db, client: stage.client });
  assert.equal(Object.keys(headers).toSorted(), ['connection', 'content-length', 'date']);
});

test('a connection to a gateway is left after a while though it is never idle: one that ends is asked nothing any more', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const begun = stage.gateways.nord.requests.length;
  const upstreams = (): number => new Set(stage.gateways.nord.requests.slice(begun).map(({ socket }) => socket)).size;
  const { chainPem: cert, keyPem: key } = stage.client;
  for (let asked = 0; asked < 200 && upstreams() < 2; asked += 1) {
    const target = { host: '127.0.0.1', port: stage.port, servername: db, headers: { host: db }, cert, key, agent };
    const outgoing = get({ ...target, path: '/studies', rejectUnauthorized: false });
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.is(response.statusCode, 200);
    response.resume();
    await once(response, 'end');
    if (asked > 0) assert.ok(outgoing.reusedSocket, 'the caller keeps its own');
    await sleep(100);
  }
  agent.destroy();
  assert.is(upstreams(), 2);
});

const lies: Readonly<Record<string, Readonly<Record<string, string | string[]>>>> = {
  'a forged certificate': { [xfcc]: 'Hash=0;Subject="CN=forged,OU=1"' },
  'two of them': { [xfcc]: ['Subject="CN=forged,OU=1"', 'Subject="CN=forged,OU=2"'] },
  'a certificate named as hop-by-hop': { connection: `close, ${xfcc}`, [xfcc]: 'Subject="CN=forged,OU=1"' },
  'the certificate alone named as hop-by-hop': { connection: `close, ${xfcc}` },
};
for (const [name, headers] of Object.entries(lies))
  test(`${name} in the request is replaced by what the handshake proved`, async () => {
    const answer = await call(stage, { sni: db, client: stage.client, headers });
    assert.is(answer.status, 200);
    assert.is(told(xfcc).length, 1);
    assert.match(told(xfcc)[0] ?? '', /^Hash=[0-9a-f]{64};Cert="[^"]+";Subject="CN=db\.conso\.example,OU=1750000002,/);
  });

test('a header that says who or where the caller is does not pass, and its address stands last', async () => {
  const headers = { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-host': 'evil', forwarded: 'for=9.9.9.9' };
  await call(stage, { sni: db, client: stage.client, headers });
  assert.not.equal(told('x-forwarded-for').at(-1)?.split(',').at(-1), '9.9.9.9');
  assert.equal([told('x-forwarded-host'), told('forwarded')], [[], []]);
  assert.equal(told('x-forwarded-proto'), ['https']);
});

const strangers: Readonly<Record<string, readonly [RegExp, () => Promise<Issued | undefined>]>> = {
  'no certificate': [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, async () => await Promise.resolve(undefined)],
  'a revoked certificate': [
    /CERTIFICATE_VERIFY_FAILED.*revoked/i,
    async () => {
      const issued = await stage.pki.issue({ commonName: 'gone', organizationalUnit: '1', kind: 'SERV_SSL' });
      await stage.pki.revoke(issued);
      await stage.apply({ ...stage.plan, trusts: [stage.trust()] });
      return issued;
    },
  ],
  'a certificate of another authority': [
    /CERTIFICATE_VERIFY_FAILED/,
    async () =>
      await stage.pki.issue({
        commonName: 'db.conso.example',
        organizationalUnit: '1750000002',
        kind: 'SERV_SSL',
        issuer: stage.pki.foreign,
      }),
  ],
  'an expired certificate': [
    /CERTIFICATE_VERIFY_FAILED.*expired/i,
    async () =>
      await stage.pki.issue({
        commonName: 'db.conso.example',
        organizationalUnit: '1750000002',
        kind: 'SERV_SSL',
        notBefore: new Date(Date.now() - 7_200_000),
        notAfter: new Date(Date.now() - 3_600_000),
      }),
  ],
};
for (const [index, [name, [reason, client]]] of Object.entries(strangers).entries())
  test(`${name}: the handshake is refused, and who tried is told with the reason`, async () => {
    const from = `127.0.1.${index + 1}`;
    const before = stage.gateways.nord.requests.length;
    const error = await call(stage, { sni: db, from, client: await client() }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, Error);
    assert.is(stage.gateways.nord.requests.length, before);
    const failure = await stage.until('the event', () => stage.failures.find(({ peer }) => peer === from));
    assert.is(failure.serverName, db);
    assert.match(failure.reason, reason);
  });

test('a name that nobody has here is closed, with or without a certificate, and told', async () => {
  for (const sni of ['unknown.example', ''])
    assert.instance(
      await call(stage, { sni, host: db, from: '127.0.2.1', client: stage.client }).catch((error: unknown) => error),
      Error,
    );
  await stage.until('the events', () => stage.failures.filter(({ peer }) => peer === '127.0.2.1').length >= 2);
});

test("a connection to one FQDN never reaches another's gateway", async () => {
  for (const [sni, host] of [
    ['db.sud.example', db],
    [vi, db],
    [db, vi],
    [db, `${db}.evil`],
    [db, ''],
  ] as const) {
    const before = stage.gateways.nord.requests.length + stage.gateways.sud.requests.length;
    const { status } = await call(stage, { sni, host, client: stage.client });
    assert.ok([400, 404, 421].includes(status), `${sni} with host ${host}: ${status}`);
    assert.is(stage.gateways.nord.requests.length + stage.gateways.sud.requests.length, before);
  }
});

test('HTTP/2: a connection opened to the viewer without a certificate never reaches WADO-RS', async () => {
  const session = http2.connect(`https://127.0.0.1:${stage.port}`, { servername: vi, rejectUnauthorized: false });
  const ask = async (authority: string): Promise<number> => {
    const stream = session.request({ ':path': '/studies', ':authority': authority });
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    stream.resume();
    await once(stream, 'end');
    return Number(headers[':status']);
  };
  assert.is(await ask(vi), 200);
  assert.is(await ask(db), 421);
  session.close();
});

test('the FQDN is known with a port and in capitals', async () => {
  for (const host of [`${db}:443`, `${db}:${stage.port}`, db.toUpperCase()])
    assert.is((await call(stage, { sni: db, host, client: stage.client })).status, 200, host);
});

test('the viewer needs no certificate, and none can be made up', async () => {
  const headers = { [xfcc]: 'Subject="CN=forged,OU=1"' };
  assert.is((await call(stage, { sni: vi, headers })).status, 200);
  assert.equal(told(xfcc), []);
});

const probing = ['/healthcheck/drimbox', '/healthcheck', '/HEALTHCHECK/pacs', '/x/../healthcheck/pacs'];
for (const path of [
  ...probing,
  '//healthcheck/pacs',
  '/%68ealthcheck/pacs',
  '/healthcheck%2fpacs',
  '/h%65althcheck;a/',
])
  test(`${path} is for probes only`, async () => {
    const before = stage.gateways.nord.requests.length;
    const { status } = await call(stage, { sni: vi, path });
    assert.ok([400, 403].includes(status), String(status));
    assert.is(stage.gateways.nord.requests.length, before);
  });

test('a listed probe may ask', async () => {
  assert.is((await call(stage, { sni: vi, path: '/healthcheck/drimbox', from: '127.0.0.2' })).status, 200);
});

test('TLS 1.1 and CBC suites are refused', async () => {
  for (const weak of [
    { maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA' },
  ] as const)
    assert.instance(await call(stage, { sni: vi, ...weak }).catch((error: unknown) => error), Error);
  assert.is((await call(stage, { sni: vi, maxVersion: 'TLSv1.2' })).status, 200);
});

test.run();
