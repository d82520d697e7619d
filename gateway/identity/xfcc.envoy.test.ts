/** What a real Envoy writes of subjects made to confuse, and what is read of it. */
import 'reflect-metadata';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { type TLSSocket, connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { type Pki, createPki } from '../../e2e/parts/pki.ts';
import { freePort } from '../../e2e/parts/ports.ts';
import { type Part, startProcess } from '../../e2e/parts/process.ts';
import { parseRfc2253, singleValue } from './distinguished-name.ts';
import { readTlsPeer } from './tls-peer.ts';
import { readXfcc } from './xfcc.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-xfcc-'));
const port = await freePort();
/** Answers with the header as it came. */
const upstream = createServer((incoming, response) =>
  response.end(JSON.stringify(incoming.headersDistinct['x-forwarded-client-cert'] ?? [])),
);

let pki: Pki;
let envoy: Part;

test.before(async () => {
  pki = await createPki(join(folder, 'pki'));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const server = await pki.issue({ commonName: 'db.example', organizationalUnit: '1', kind: 'SERV_SSL' });
  const config = join(folder, 'envoy.json');
  writeFileSync(config, JSON.stringify(envoyConfig(server, (upstream.address() as AddressInfo).port)));
  mkdirSync(join(folder, 'log'));
  envoy = await startProcess({
    name: 'envoy',
    command: findEnvoy(),
    args: ['--config-path', config, '--disable-hot-restart', '--concurrency', '1'],
    logFile: join(folder, 'log/envoy.log'),
    ready: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
      return true;
    },
  });
});

test.after(async () => {
  await envoy.stop();
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true });
});

/** The smallest that writes XFCC: SANITIZE_SET with subject and certificate, as the ingress does. */
function envoyConfig(server: { readonly certificateFile: string; readonly keyFile: string }, to: number): object {
  const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } });
  const type = (name: string): object => ({ '@type': `type.googleapis.com/envoy.extensions.${name}` });
  const manager = {
    ...type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'db',
    forward_client_cert_details: 'SANITIZE_SET',
    set_current_client_cert_details: { subject: true, cert: true },
    route_config: {
      virtual_hosts: [
        { name: 'db', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'gateway' } }] },
      ],
    },
    http_filters: [{ name: 'router', typed_config: type('filters.http.router.v3.Router') }],
  };
  const tls = {
    ...type('transport_sockets.tls.v3.DownstreamTlsContext'),
    require_client_certificate: true,
    common_tls_context: {
      tls_certificates: [
        { certificate_chain: { filename: server.certificateFile }, private_key: { filename: server.keyFile } },
      ],
      validation_context: { trusted_ca: { filename: pki.bundleFile } },
    },
  };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(to) } }] }];
  return {
    static_resources: {
      listeners: [
        {
          name: 'db',
          address: at(port),
          filter_chains: [
            {
              filters: [{ name: 'http', typed_config: manager }],
              transport_socket: { name: 'tls', typed_config: tls },
            },
          ],
        },
      ],
      clusters: [{ name: 'gateway', load_assignment: { cluster_name: 'gateway', endpoints } }],
    },
  };
}

/** What Envoy told of a caller whose certificate has this subject. */
async function told(subject: x509.JsonNameParams): Promise<readonly string[]> {
  const { cert, key } = await callerOf(subject);
  const outgoing = request({ host: '127.0.0.1', port, cert, key, agent: false, rejectUnauthorized: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>];
  let body = '';
  for await (const part of response) body += part.toString('utf8');
  return JSON.parse(body) as readonly string[];
}

async function callerOf(subject: x509.JsonNameParams): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '41',
    subject: new x509.Name(subject),
    issuer: pki.servers.certificate.subject,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    publicKey: keys.publicKey,
    signingKey: pki.servers.keys.privateKey,
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const cert = `${certificate.toString('pem')}\n${readFileSync(pki.servers.certificateFile, 'utf8')}`;
  return { cert, key };
}

/** Each tries to be `victim`, or merely has an unusual name. */
const organisations: readonly string[] = [
  'STRUCTURE SYNTHETIQUE',
  'Hôpital d’essai, SUD',
  'CENTRE "NORD", SUD',
  'C:\\NORD\\',
  'ends with a backslash\\',
  '"',
  '\\"',
  '\\\\"',
  'X",OU=9,CN=victim',
  'X\\",OU=9,CN=victim',
  'X";Subject="OU=9,CN=victim',
  'X\\";Subject="OU=9,CN=victim',
  'X",Hash=0;Subject="OU=9,CN=victim',
  'X\\\\",Hash=0;Subject="OU=9,CN=victim',
  'CN=victim',
  'X,CN=victim',
  'X+CN=victim',
  '#0c0676696374696d',
  ' leading and trailing ',
  'line\nfeed',
];
for (const organisation of organisations)
  test(`O=${JSON.stringify(organisation)} does not change who the caller is`, async () => {
    // As is: a plain string would be read as part of a written name, escapes and all.
    const o = { O: [{ utf8String: organisation }] };
    const [c, ou, cn] = [{ C: ['FR'] }, { OU: ['1750000002'] }, { CN: ['db.conso.example'] }];
    // Envoy writes the last first: it stands before the CN once, and after it once.
    const orders: readonly x509.JsonNameParams[] = [
      [c, o, ou, cn],
      [ou, cn, c, o],
    ];
    for (const subject of orders) {
      const headers = await told(subject);
      assert.is(headers.length, 1);
      const reading = readXfcc(headers[0]);
      assert.ok(reading.ok, `${headers[0] ?? ''}: ${reading.ok ? '' : reading.detail}`);
      const bare = readXfcc((headers[0] ?? '').replace(/Cert="[^"]*";/, ''));
      assert.ok(bare.ok && reading.ok && bare.peer.commonName === reading.peer.commonName, 'the subject says the same');
      assert.equal(reading.ok && [reading.peer.commonName, reading.peer.organizationalUnit], [
        'db.conso.example',
        '1750000002',
      ]);
    }
  });

test('behind Envoy and at a door of our own the same certificate is the same peer, serial and issuer included', async () => {
  const { cert, key } = await callerOf([{ O: ['STRUCTURE'] }, { OU: ['1750000002'] }, { CN: ['db.conso.example'] }]);
  const own = await pki.issue({ commonName: 'localhost', organizationalUnit: '1', kind: 'SERV_SSL' });
  const door = createTlsServer({
    cert: own.chainPem,
    key: own.keyPem,
    ca: readFileSync(pki.bundleFile),
    requestCert: true,
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const { port: doorPort } = door.address() as AddressInfo;
  const client = connectTls({ host: '127.0.0.1', port: doorPort, cert, key, rejectUnauthorized: false });
  const [socket] = (await once(door, 'secureConnection')) as [TLSSocket];
  const direct = readTlsPeer(socket);
  client.destroy();
  door.close();
  const outgoing = request({ host: '127.0.0.1', port, cert, key, agent: false, rejectUnauthorized: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>];
  let body = '';
  for await (const part of response) body += part.toString('utf8');
  const behind = readXfcc((JSON.parse(body) as readonly string[])[0]);
  assert.ok(direct.ok && behind.ok, JSON.stringify([direct, behind]));
  assert.equal(behind, direct);
  assert.ok(behind.ok && behind.peer.serial === '41' && behind.peer.issuer.includes('CN='));
});

test('a certificate that is not the one of the hash, cut, or too long is refused', async () => {
  const [header = ''] = await told([{ OU: ['1'] }, { CN: ['a.example'] }]);
  const [other = ''] = await told([{ OU: ['1'] }, { CN: ['b.example'] }]);
  const hashOf = (text: string): string => /Hash=([0-9a-f]{64})/.exec(text)?.[1] ?? '';
  assert.ok(readXfcc(header).ok);
  for (const bad of [
    header.replace(hashOf(header), hashOf(other)),
    header.replace(/Hash=[0-9a-f]{64};/, ''),
    header.replace(/(Cert="[^"]{200})[^"]*/, '$1'),
    header.replace(/(Cert="[^"]*)/, (text) => `${text}${'%0A'.repeat(5_000)}`),
    header.replace(/(Cert=")/, '$1%ff'),
  ])
    assert.not.ok(readXfcc(bad).ok, bad.slice(0, 120));
});

test('the organisation reaches the gateway as it stands in the certificate', async () => {
  const subjectNames: x509.JsonNameParams = [
    { O: [{ utf8String: 'CENTRE "NORD", C:\\SUD' }] },
    { OU: ['1'] },
    { CN: ['a.example'] },
  ];
  const [header = ''] = await told(subjectNames);
  const subject = /Subject="((?:[^"\\]|\\.)*)"/.exec(header)?.[1] ?? '';
  const name = parseRfc2253(subject);
  assert.is(name && singleValue(name, 'O'), 'CENTRE "NORD", C:\\SUD');
});

test.run();
