import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { maxParts, pack, partBytes, plainBytes, readPacked } from './packed-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-packed-'));
test.after(() => rmSync(folder, { recursive: true }));

async function throughFiles(name: string, bytes: Buffer): Promise<Buffer> {
  for (const part of pack(name, bytes)) writeFileSync(join(folder, part.name), part.bytes);
  return await readPacked(join(folder, name));
}

for (const size of [0, 1, plainBytes, plainBytes + 1, partBytes, 3 * partBytes])
  test(`${size} bytes are the same bytes again`, async () => {
    const bytes = randomBytes(size);
    assert.equal(await throughFiles(`random-${size}`, bytes), bytes);
  });

test('no part is larger than a ConfigMap holds, and equal documents are equal parts', () => {
  const bytes = randomBytes(5 * partBytes);
  const parts = pack('list.xml', bytes);
  assert.ok(parts.length > 1 && parts.every((part) => part.bytes.length <= partBytes));
  assert.equal(pack('list.xml', bytes), parts);
});

test('what can not be published at all says so', () => {
  assert.throws(() => pack('crl.pem', randomBytes((maxParts + 1) * partBytes)), /crl\.pem: \d+ bytes compressed/);
});

test('a missing or foreign part is not taken for the document', async () => {
  const parts = pack('cut.xml', randomBytes(2 * partBytes));
  writeFileSync(join(folder, 'cut.xml.gz.0'), parts[0]?.bytes ?? '');
  let refusal: unknown;
  await readPacked(join(folder, 'cut.xml')).catch((error: unknown) => (refusal = error));
  assert.match(String(refusal), /unexpected end of file/);
  writeFileSync(join(folder, 'cut.xml.gz.1'), randomBytes(partBytes));
  await readPacked(join(folder, 'cut.xml')).catch((error: unknown) => (refusal = error));
  assert.match(String(refusal), /Error/);
});

test.run();
