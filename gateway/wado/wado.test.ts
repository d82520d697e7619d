import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readAccept } from './accept.ts';
import { capabilities } from './capabilities.ts';
import { laneOf, wantedFromPacs } from './lane.ts';
import { allowedOnTheWire, isWithoutPixels } from './transfer-syntaxes.ts';

const jpegLs = '1.2.840.10008.1.2.4.80';
const lossless = '1.2.840.10008.1.2.4.70';
const explicit = '1.2.840.10008.1.2.1';
const range = (uid: string, q?: string): string =>
  `multipart/related; type="application/dicom";transfer-syntax=${uid}${q === undefined ? '' : `;q=${q}`};boundary=**`;
const read = (...values: string[]): string[] => {
  const reading = readAccept(values);
  return reading.ok ? reading.syntaxes.map(({ uid, q }) => `${uid} ${q}`) : ['refused'];
};

test('ordered by q, whether in ten headers, one, or with a trailing comma', () => {
  const wanted = [`${lossless} 0.9`, `${jpegLs} 0.8`, `${explicit} 0.4`];
  assert.equal(read(range(explicit, '0.4'), range(lossless, '0.9'), range(jpegLs, '0.8')), wanted);
  assert.equal(read(`${range(explicit, '0.4')},${range(lossless, '0.9')}, ${range(jpegLs, '0.8')},`), wanted);
});

test('q is a real number: 1, 1.0, 0.85, absent; 0 means no', () => {
  assert.equal(read(range(jpegLs, '1')), [`${jpegLs} 1`]);
  assert.equal(read(range(jpegLs, '1.0')), [`${jpegLs} 1`]);
  assert.equal(read(range(jpegLs, '0.85')), [`${jpegLs} 0.85`]);
  assert.equal(read(range(jpegLs)), [`${jpegLs} 1`]);
  assert.equal(read(range(jpegLs, '0.0')), ['refused']);
  assert.equal(read(range(jpegLs, '2')), ['refused']);
});

test('no Accept, any media type and no transfer syntax mean Explicit VR Little Endian', () => {
  for (const accept of [[], ['*/*'], ['multipart/related; type="application/dicom"'], [range('*')]])
    assert.equal(read(...accept), [`${explicit} 1`]);
});

test('what may not travel between DRIMboxes is passed over', () => {
  assert.equal(read(range('1.2.840.10008.1.2', '1'), range(jpegLs, '0.5')), [`${jpegLs} 0.5`]);
  for (const uid of [
    '1.2.840.10008.1.2',
    '1.2.840.10008.1.2.2',
    '1.2.840.10008.1.2.4.90',
    '1.2.840.10008.1.2.5',
    'oops',
  ])
    assert.equal(read(range(uid)), ['refused']);
  assert.equal(read('application/dicom+json'), ['refused']);
});

test('among equals, stored lossless forms come first', () => {
  assert.equal(read(range(explicit), range(lossless), range(jpegLs)), [
    `${lossless} 1`,
    `${jpegLs} 1`,
    `${explicit} 1`,
  ]);
});

test('quoted commas and semicolons do not split, typographic quotes are quotes', () => {
  assert.equal(read(`multipart/related; type="application/dicom"; comment="a;b,c"; transfer-syntax="${jpegLs}"`), [
    `${jpegLs} 1`,
  ]);
  assert.equal(read(`multipart/related; type=“application/dicom”; transfer-syntax=${jpegLs}`), [`${jpegLs} 1`]);
});

test('an Accept without end is refused, not read', () => assert.equal(read('a'.repeat(20_000)), ['refused']));

test('the official requests are read: ten transfer syntaxes, lossless first', () => {
  const folder = join(import.meta.dirname, '../../../shared/ans/wado');
  const official = existsSync(folder)
    ? readFileSync(join(folder, 'OK_Requete_CISIS_TSLossless.txt'), 'latin1')
    : allowedOnTheWire.map((uid) => `Accept: ${range(uid, uid === lossless ? '0.9' : '0.5')}`).join('\r\n');
  const values = [...official.matchAll(/^Accept:\s*(.*)$/gim)].map((match) => match[1] ?? '');
  const found = read(...values);
  assert.is(found.length, 10, found.join());
  assert.is(found[0], `${lossless} 0.9`);
});

test('an instance goes out as stored, or not at all', () => {
  const reading = readAccept([range(jpegLs)]);
  if (!reading.ok) throw new Error(reading.detail);
  const ct = { sopClassUid: '1.2.840.10008.5.1.4.1.1.2', transferSyntaxUid: jpegLs };
  assert.is(laneOf(ct, reading.syntaxes), 'fast');
  assert.is(laneOf({ ...ct, transferSyntaxUid: explicit }, reading.syntaxes), 'unacceptable');
});

test('objects without pixels travel in Explicit VR Little Endian whatever is wanted for images', () => {
  const reading = readAccept([range(jpegLs)]);
  if (!reading.ok) throw new Error(reading.detail);
  const report = { sopClassUid: '1.2.840.10008.5.1.4.1.1.88.11', transferSyntaxUid: explicit };
  assert.is(laneOf(report, reading.syntaxes), 'fast');
  assert.equal(wantedFromPacs(reading.syntaxes), [jpegLs, explicit]);
});

test('Implicit VR is never asked of the PACS', () => {
  const reading = readAccept(allowedOnTheWire.map((uid) => range(uid)));
  if (!reading.ok) throw new Error(reading.detail);
  assert.not.ok(wantedFromPacs(reading.syntaxes).some((uid) => uid === '1.2.840.10008.1.2'));
});

test('images are not objects without pixels', () => {
  for (const image of [
    '1.2.840.10008.5.1.4.1.1.2',
    '1.2.840.10008.5.1.4.1.1.4',
    '1.2.840.10008.5.1.4.1.1.66.4',
    '1.2.840.10008.5.1.4.1.1.128',
  ])
    assert.not.ok(isWithoutPixels(image), image);
});

test('capabilities name the resource and its headers', () => {
  const wadl = capabilities('db1.example');
  for (const word of ['studies/{studyUID}/series/{seriesUID}', 'KOS-SOPInstanceUID', 'Authorization', 'Situation'])
    assert.match(wadl, word);
});

test.run();
