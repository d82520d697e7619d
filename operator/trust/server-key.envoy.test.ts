/** Which keys a server's certificate may have: by our judgement, and by the real Envoy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { judgeServerCertificate } from './server-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-key-'));
test.after(() => rmSync(folder, { recursive: true }));

const rsa = (bits: number): readonly string[] => ['-newkey', `rsa:${bits}`];
const curve = (name: string): readonly string[] => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${name}`];

/** How openssl makes it, by name. Ed25519 apart: Envoy takes it, and no browser does. */
const keys: Readonly<Record<string, readonly string[]>> = {
  'RSA 1024': rsa(1024),
  'RSA 2047': rsa(2047),
  'RSA 2048': rsa(2048),
  'RSA 3072': rsa(3072),
  'RSA 4096': rsa(4096),
  'RSA 2048, exponent 3': [...rsa(2048), '-pkeyopt', 'rsa_keygen_pubexp:3'],
  'RSA 2048, exponent of 34 bits': [...rsa(2048), '-pkeyopt', 'rsa_keygen_pubexp:8589934593'],
  'RSA-PSS': ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'EC P-224': curve('secp224r1'),
  'EC P-256': curve('P-256'),
  'EC P-384': curve('P-384'),
  'EC P-521': curve('P-521'),
  'EC secp256k1': curve('secp256k1'),
  'EC brainpool': curve('brainpoolP256r1'),
  Ed448: ['-newkey', 'ed448'],
};

function make(options: readonly string[]): { readonly certificateFile: string; readonly keyFile: string } {
  const certificateFile = join(folder, 'server.crt');
  const keyFile = join(folder, 'server.key');
  const subject = ['-subj', '/CN=vi1.example/O=Group', '-addext', 'subjectAltName=DNS:vi1.example', '-days', '2'];
  const out = ['-nodes', '-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', ['req', '-x509', ...options, ...out, ...subject], { stdio: 'pipe' });
  return { certificateFile, keyFile };
}

async function judged(certificateFile: string): Promise<string> {
  const policy = { kind: 'vi', fqdn: 'vi1.example', at: new Date(), anchors: [], crls: [] } as const;
  const given = { certificatePem: readFileSync(certificateFile, 'utf8'), names: ['vi1.example'] };
  return (await judgeServerCertificate(given, policy))?.reason ?? 'good';
}

function isTaken(certificateFile: string, keyFile: string): boolean {
  const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
  const pair = { certificate_chain: { filename: certificateFile }, private_key: { filename: keyFile } };
  const tls = type('transport_sockets.tls.v3.DownstreamTlsContext');
  const chain = {
    transport_socket: {
      name: 'tls',
      typed_config: { '@type': tls, common_tls_context: { tls_certificates: [pair] } },
    },
    filters: [{ name: 'envoy.filters.network.echo', typed_config: { '@type': type('filters.network.echo.v3.Echo') } }],
  };
  const address = { socket_address: { address: '127.0.0.1', port_value: 1 } };
  const file = join(folder, 'envoy.json');
  writeFileSync(
    file,
    JSON.stringify({ static_resources: { listeners: [{ name: 'one', address, filter_chains: [chain] }] } }),
  );
  const { status, error } = spawnSync(findEnvoy(), ['--mode', 'validate', '--config-path', file]);
  if (error !== undefined) throw error;
  return status === 0;
}

for (const [name, options] of Object.entries(keys))
  test(`${name}: our judgement is Envoy's`, async () => {
    const { certificateFile, keyFile } = make(options);
    const expected = isTaken(certificateFile, keyFile) ? 'good' : 'KeyNotSupported';
    assert.is(await judged(certificateFile), expected);
  });

test('Ed25519 is refused: no browser takes it', async () => {
  assert.is(await judged(make(['-newkey', 'ed25519']).certificateFile), 'KeyNotSupported');
});

test.run();
