/** docs/operations.md says what the code does: every series, event and reason, and no other. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { whitelistReasons } from '../../common/whitelist/reasons.ts';
import { expiryWarning } from '../plan/certificates.ts';
import { catalogue } from './catalogue.ts';
import { createClusterMetrics } from './cluster-metrics.ts';
import { handshakeReasons } from './handshake-reason.ts';
import { createOperatorMetrics } from './metrics.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const page = read('docs/operations.md');

/** Rows of the table after that mark, cells trimmed, without the backquotes of a cell that is one word. */
function table(mark: string): readonly (readonly string[])[] {
  const [, after = ''] = page.split(`<!-- ${mark}:`);
  const lines = after.slice(after.indexOf('|')).split('\n\n')[0]?.split('\n') ?? [];
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(\w+)`$/, '$1')),
  );
}

const firsts = (mark: string): string[] => table(mark).map(([first = '']) => first);
const sorted = (words: Iterable<string>): string[] => [...new Set(words)].toSorted();

test('the page has each series of the operator, its reasons of refusal too', () => {
  const names = createOperatorMetrics(() => undefined)
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  assert.equal(sorted(firsts('operator metrics')), sorted(names.filter((name) => name.startsWith('drimbox_'))));
  for (const reason of handshakeReasons) assert.match(page, `\`${reason}\``);
});

test('the page has each series that an operator of a cluster adds', () => {
  const registry = new Registry();
  createClusterMetrics(registry, {
    queueDepth: () => 0,
    oldestWaitSeconds: () => 0,
    isLeader: () => false,
    lastHeardSeconds: () => 0,
    proxies: () => ({ connected: 0, acknowledged: 0 }),
    paused: () => 0,
  });
  assert.equal(sorted(firsts('cluster metrics')), sorted(registry.getMetricsAsArray().map(({ name }) => name)));
});

test('the page has each event with its level', () => {
  assert.equal(
    table('events').map(([name, level]) => [name, level]),
    Object.entries(catalogue).map(([name, { level }]) => [name, level]),
  );
});

/** Where verdicts are made. */
const sources = [
  ...['status', 'stalled', 'workload', 'condition', 'certificates', 'acceptance', 'gateway-plan', 'plan'].map(
    (name) => `operator/plan/${name}.ts`,
  ),
  ...['database', 'material', 'server-certificate', 'server-identities', 'whitelist-keeper'].map(
    (name) => `operator/trust/${name}.ts`,
  ),
  'operator/controllers/observe-trust.ts',
  'operator/ingress/observe.ts',
  'operator/infrastructure/host/ingress-runner.ts',
  'gateway/admin/status.ts',
  'gateway/source/archive/reasons.ts',
];

/** Types of conditions that are not the name of a reason as well. */
const types =
  'AnchorsResolved ArchiveReady CertificatesReady ConfigAccepted CrlFresh DmpReachable IngressProgrammed PacsReachable Publishing ' +
  'ReplicasReady WhitelistVerified WorkloadAvailable';
const otherWords = 'True False Unknown Secret ConfigMap PersistentVolumeClaim Delete Retain CN O Stalled';
/** Told apart from others of a chain in server-certificate.ts, and explained in whitelist.md. */
const ofChains = 'CrlExpired CrlForged CrlNotYetValid';
const notReasons = new Set(`${types} ${otherWords} ${ofChains}`.split(' '));

test('the page has each reason of a condition, and none that no code gives', () => {
  const words = sources.flatMap((file) =>
    [...read(file).matchAll(/'([A-Z][A-Za-z0-9]*)'/g)].map(([, word = '']) => word),
  );
  const made = [30, 14, 7, 1].map((days) => expiryWarning(days * 86_400_000) ?? '');
  const reasons = [...words.filter((word) => !notReasons.has(word)), ...made, 'ConfigMapNotFound', 'SecretNotFound'];
  assert.equal(sorted(firsts('reasons')), sorted(reasons));
  assert.is(firsts('reasons').length, new Set(firsts('reasons')).size);
});

test('what the page leaves to whitelist.md is there', () => {
  for (const word of [...ofChains.split(' '), 'UntrustedChain', 'Revoked']) assert.ok(word in whitelistReasons, word);
});

test('each condition that the table names exists, and each that exists is named', () => {
  const named = table('reasons').flatMap(([, conditions = '']) => conditions.split(', '));
  const made = sources.flatMap((file) =>
    [...read(file).matchAll(/(?:good|bad|unknown)\(\s*'(\w+)'|type(?:: string)? ?[:=] '(\w+)'/g)].map(
      ([, a = '', b = '']) => a || b,
    ),
  );
  // Stalled has no reasons of its own: the text above the table says so.
  assert.match(page, /^`Stalled`/m);
  const shown = made.filter((type) => type !== '' && type !== 'Stalled');
  assert.equal(sorted(named.filter((type) => type !== 'any')), sorted(shown));
});

test('the alerts name series that exist, and promtool takes them where it is installed', () => {
  const [, rules = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const known = new Set([...firsts('operator metrics'), ...firsts('gateway metrics')]);
  const used = rules.match(/drimbox_\w+/g) ?? [];
  assert.ok(used.length > 0);
  assert.equal(
    used.filter((name) => !known.has(name)),
    [],
  );
  const folder = mkdtempSync(join(tmpdir(), 'drimbox-rules-'));
  const file = join(folder, 'rules.yaml');
  writeFileSync(file, rules);
  const { error, status, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  const absent = error !== undefined && 'code' in error && error.code === 'ENOENT';
  if (!absent) assert.is(status, 0, stderr);
});

test.run();
