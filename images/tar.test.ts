import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type TarEntry, writeTar } from './tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-tar-'));
const long = `${'a'.repeat(60)}/${'b'.repeat(60)}/${'c'.repeat(90)}`;

test.after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): TarEntry {
  return { kind: 'file', name, mode: 0o644, content: Buffer.from(text) };
}

test('tar reads names, content, links and modes as they were given', () => {
  const archive = join(folder, 'a.tar');
  const link: TarEntry = { kind: 'link', name: 'link', target: 'short' };
  const open: TarEntry = { kind: 'directory', name: 'tmp', mode: 0o1777 };
  writeTar(archive, [open, file('short', 'x'.repeat(513)), file(long, 'deep'), link], 0);
  const listing = execFileSync('tar', ['--numeric-owner', '--utc', '-tvf', archive], { encoding: 'utf8' });
  assert.match(listing, /^drwxrwxrwt 0\/0 +0 1970-01-01 00:00 tmp\/$/m);
  assert.match(listing, /^-rw-r--r-- 0\/0 +513 1970-01-01 00:00 short$/m);
  assert.match(listing, /^lrwxrwxrwx 0\/0 +0 1970-01-01 00:00 link -> short$/m);
  assert.is(execFileSync('tar', ['-xOf', archive, long], { encoding: 'utf8' }), 'deep');
});

test('a name that does not fit is refused, not cut', () => {
  const refuse = (name: string) => () => writeTar(join(folder, 'b.tar'), [file(name, '')], 0);
  assert.throws(refuse('n'.repeat(101)), /does not fit ustar/);
  assert.throws(refuse(`${'p'.repeat(156)}/n`), /does not fit ustar/);
});

test.run();
