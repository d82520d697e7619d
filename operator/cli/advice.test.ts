/** Every reason that a condition may have when something is wrong comes with advice: they are collected from the sources that make them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adviceFor } from './advice.ts';

const root = join(import.meta.dirname, '../..');
const rooms = [
  'operator/plan',
  'operator/trust',
  'operator/ingress',
  'operator/controllers',
  'gateway/admin/status.ts',
  'common/pki/chain.ts',
];

function sources(room: string): readonly string[] {
  const path = join(root, room);
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.(test|testing)\.ts$/.test(name))
    .map((name) => join(path, name));
}

/** Where a reason is made: as the reason of a verdict, of a refusal, of a failure. */
const makers: readonly RegExp[] = [
  /\b(?:bad|unknown)\(\s*(?:'\w*'|type),\s*'([A-Z]\w+)'/g,
  /\bfail\(\s*'([A-Z]\w+)'/g,
  /\bfault\(\s*'([A-Z]\w+)'/g,
  /\breason: '([A-Z]\w+)'/g,
  /\breason = '([A-Z]\w+)'/g,
  /\bmake\(false,[^']*'([A-Z]\w+)'/g,
  /\bmake\(\s*false,\s*'([A-Z]\w+)'/g,
  /\bcondition\([^)]*(?:false|undefined), '([A-Z]\w+)'/g,
];

/** Nothing is wrong: they stand with True, or a site is not paused. */
const well: ReadonlySet<string> = new Set(['Verified', 'Programmed', 'NotPaused']);
/** Said between gateway and operator, which words it as ConfigRefused. */
const inner: ReadonlySet<string> = new Set(['Refused']);

function reasons(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const file of rooms.flatMap(sources)) {
    const text = readFileSync(file, 'utf8');
    for (const maker of makers) for (const [, reason = ''] of text.matchAll(maker)) found.set(reason, file);
  }
  return found;
}

test('every reason of the sources has advice', () => {
  const found = reasons();
  assert.ok(found.size > 60, `only ${found.size} were found: have the makers other names now?`);
  const without = [...found.keys()].filter(
    (reason) => !well.has(reason) && !inner.has(reason) && adviceFor('', reason) === undefined,
  );
  assert.equal(without, []);
});

test('each fault of an archive has advice, where its condition says it and where its gateway does', () => {
  const file = readFileSync(join(root, 'gateway/source/archive/reasons.ts'), 'utf8');
  const faults = [...file.matchAll(/^ {2}'(\w+)',$/gm)].map(([, reason = '']) => reason);
  assert.ok(faults.length > 10);
  for (const type of ['ArchiveReady', 'WorkloadAvailable'])
    assert.equal(
      faults.filter((reason) => adviceFor(type, reason) === undefined),
      [],
    );
});

test('a reason that several things may have is advised upon by which it is', () => {
  assert.match(adviceFor('CertificatesReady', 'UntrustedChain') ?? '', /tls\.crt/);
  assert.not.match(adviceFor('WhitelistVerified', 'UntrustedChain') ?? '', /tls\.crt/);
  assert.match(adviceFor('ArchiveReady', 'Unreachable') ?? '', /postgres/);
  assert.match(adviceFor('WhitelistVerified', 'Unreachable') ?? '', /whitelist/);
  assert.match(adviceFor('CertificatesReady', 'ExpiresIn7Days') ?? '', /drimbox certificate request/);
});

test.run();
