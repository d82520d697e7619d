/** The whitelist in force at a gateway: what a new, older, broken or withdrawn file does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { WhitelistConfig } from '../../common/contract/gateway-config.ts';
import { createPki } from '../../e2e/parts/pki.ts';
import { signWhitelist } from '../../e2e/parts/whitelist.ts';
import type { JournalEvent } from '../journal/events.ts';
import { createWhitelistWatch, type WhitelistWatch } from './whitelist-watch.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-watch-'));
test.after(() => rmSync(directory, { recursive: true }));
const pki = await createPki(join(directory, 'pki'));
const signer = await pki.issue({
  commonName: 'Liste Blanche DRIM-M',
  organizationalUnit: '318751275100020',
  kind: 'SIGN',
});
const domain = (name: string) => ({ db: name, vi: name, commonName: name, organizationalUnit: '1750000001' });
const signed = (generatedAt: string, ...names: readonly string[]): Buffer =>
  signWhitelist({ domains: names.map(domain), signer, pki, generatedAt: new Date(generatedAt) });
const config: WhitelistConfig = {
  file: join(directory, 'whitelist.xml'),
  anchorsFile: pki.bundleFile,
  crlFile: pki.crlBundleFile,
  requireRevocation: true,
  signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' },
};

function watching(): { readonly watch: WhitelistWatch; readonly events: JournalEvent[] } {
  const events: JournalEvent[] = [];
  const watch = createWhitelistWatch({
    journal: { record: (event) => void events.push(event) },
    ownFqdns: () => ['db1.own.example'],
    now: () => new Date(),
  });
  return { watch, events };
}

test('own entry present, then gone in a newer list: this DRIMbox is off', async () => {
  const { watch } = watching();
  writeFileSync(config.file, signed('2026-01-01T00:00:00Z', 'db1.own.example', 'db9.other.example'));
  await watch.reload(config);
  assert.ok(watch.isOwnListed('DB1.own.example'));
  writeFileSync(config.file, signed('2026-01-02T00:00:00Z', 'db9.other.example'));
  await watch.reload(config);
  assert.not.ok(watch.isOwnListed('db1.own.example'));
  assert.is(watch.current().ownEntry, false);
});

test('an older list and a broken one are refused, the one in force stays', async () => {
  const { watch } = watching();
  writeFileSync(config.file, signed('2026-01-02T00:00:00Z', 'db1.own.example'));
  await watch.reload(config);
  writeFileSync(config.file, signed('2026-01-01T00:00:00Z', 'db9.other.example'));
  await watch.reload(config);
  assert.is(watch.current().refusal?.reason, 'RollBack');
  assert.ok(watch.isOwnListed('db1.own.example'));
  writeFileSync(config.file, 'not a list');
  await watch.reload(config);
  assert.is(watch.current().refusal?.reason, 'NotWellFormed');
  assert.ok(watch.isOwnListed('db1.own.example'));
});

test('a list that is taken away is no longer believed', async () => {
  const { watch } = watching();
  writeFileSync(config.file, signed('2026-01-02T00:00:00Z', 'db1.own.example'));
  await watch.reload(config);
  rmSync(config.file);
  await watch.reload(config);
  assert.is(watch.current().list, undefined);
  assert.is(watch.current().refusal?.reason, 'Absent');
});

test('a new file is noticed by itself', async () => {
  const { watch, events } = watching();
  writeFileSync(config.file, signed('2026-01-02T00:00:00Z', 'db1.own.example'));
  await watch.reload(config);
  const stop = watch.follow(() => config);
  await sleep(50);
  writeFileSync(config.file, signed('2026-01-03T00:00:00Z', 'db1.own.example', 'db9.other.example'));
  for (let n = 0; n < 100 && watch.current().list?.domains.length !== 2; n++) await sleep(100);
  stop();
  assert.is(watch.current().list?.domains.length, 2, JSON.stringify(events));
});

test.run();
