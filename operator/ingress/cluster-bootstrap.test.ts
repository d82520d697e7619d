/** The cluster's bootstrap: golden, and Envoy itself takes it. UPDATE_GOLDEN=1 writes the golden file again; review the difference. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { emptyInternalState, internalBundle, renewInternal } from '../trust/internal-authority.ts';
import { type ClusterBootstrapOptions, clusterBootstrap } from './cluster-bootstrap.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-bootstrap-'));
test.after(() => rmSync(folder, { recursive: true }));

const options: ClusterBootstrapOptions = {
  controlPlane: { host: 'drimbox-operator.drimbox.svc', port: 18_000, serverName: 'xds.drimbox.internal' },
  identityFolder: '/etc/drimbox/identity',
  configFolder: '/etc/drimbox/envoy',
  adminPort: 19_000,
  probe: { host: '0.0.0.0', port: 19_001 },
  maxHeapBytes: 1_073_741_824,
  maxConnections: 20_000,
};

test('golden: the files of a proxy in a cluster', () => {
  const file = join(import.meta.dirname, 'golden/cluster-bootstrap.yaml');
  const text = stringify(clusterBootstrap(options), { lineWidth: 0, aliasDuplicateObjects: false });
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  assert.fixture(text, readFileSync(file, 'utf8'));
});

test('Envoy takes it, with the files it names', async () => {
  const identityFolder = join(folder, 'identity');
  mkdirSync(identityFolder);
  const state = await renewInternal(emptyInternalState, ['proxy.drimbox.internal'], new Date());
  const leaf = state.leaves['proxy.drimbox.internal'];
  writeFileSync(join(identityFolder, 'tls.crt'), leaf?.certificatePem ?? '');
  writeFileSync(join(identityFolder, 'tls.key'), leaf?.keyPem ?? '');
  writeFileSync(join(identityFolder, 'ca.crt'), internalBundle(state));
  for (const [name, content] of Object.entries(clusterBootstrap({ ...options, identityFolder, configFolder: folder })))
    writeFileSync(join(folder, name), JSON.stringify(content));
  execFileSync(findEnvoy(), ['--mode', 'validate', '-c', join(folder, 'bootstrap.json'), '--service-node', 'pod-1'], {
    stdio: 'pipe',
  });
});

test.run();
