import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dicomToXml, xmlToDicom } from '../../e2e/judges/dicom.ts';
import { KosUnreadable } from './data-set-reader.ts';
import { decodeKos } from './decode.ts';
import { encodeKos } from './encode.ts';
import { sampleKos } from './sample.fixture.ts';
import { readTextValue } from './text-value.ts';

const whole = encodeKos(sampleKos()).bytes;

function refused(bytes: Buffer): string {
  try {
    decodeKos(bytes);
    return '';
  } catch (error) {
    if (error instanceof KosUnreadable) return error.message;
    throw error;
  }
}

test('a KOS cut anywhere is refused, never half read', () => {
  for (let length = 0; length < whole.length; length += 1)
    assert.not.equal(refused(whole.subarray(0, length)), '', `cut at ${length}`);
});

test('random damage is refused or read, and nothing else is thrown', () => {
  let seed = 11;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 500; round += 1) {
    const damaged = Buffer.from(whole);
    for (let change = random(4); change >= 0; change -= 1) damaged[132 + random(damaged.length - 132)] = random(256);
    refused(damaged);
  }
});

test('other documents are refused by name', () => {
  const patch = (from: string, to: string): Buffer =>
    Buffer.from(whole.toString('latin1').replaceAll(from, to), 'latin1');
  assert.match(refused(patch('113030', '113000')), 'is not Manifest');
  assert.match(refused(patch('1.1.88.59', '1.1.88.22')), 'is not a Key Object Selection');
  assert.match(refused(patch('1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2')), 'transfer syntax');
  assert.match(refused(patch('ISO_IR 100', 'ISO_IR 144')), 'character set');
});

/** Ours, made to look like the official KIN sample: implicit VR, a key-image mark nested in an instance, blanks around URLs. */
async function likeOfficial(): Promise<Buffer> {
  const mark =
    '<sequence tag="0008,1199" vr="SQ"><item><element tag="0008,1155" vr="UI">2.25.77</element>' +
    '<sequence tag="0040,a730" vr="SQ"><item><element tag="0040,a160" vr="UT">key</element></item></sequence>' +
    '</item></sequence>';
  const xml = (await dicomToXml(whole))
    .replaceAll(' 1.2.840.10008.1.2.1"', ' 1.2.840.10008.1.2"')
    .replace(/(<element tag="0020,0013"[^>]*>\d+<\/element>)(\s*<\/item>)/, `$1${mark}$2`)
    .replace(/(<element tag="0008,1190"[^>]*>)/, '$1\n  ');
  assert.match(xml, mark);
  return await xmlToDicom(Buffer.from(xml, 'latin1'), 'implicit');
}

test('implicit VR, key-image marks and blanks around URLs change nothing', async () => {
  assert.equal(decodeKos(await likeOfficial()), decodeKos(whole));
});

test('the official manifest with key images reads', async () => {
  const official = join(import.meta.dirname, '../../../shared/ans/kos/Manifest_KOS.xml');
  const present = existsSync(official);
  const kos = decodeKos(present ? await xmlToDicom(readFileSync(official), 'implicit') : await likeOfficial());
  assert.equal(
    [kos.studyInstanceUid, kos.patient.birthFamily, kos.institution.id],
    present ? ['1.2.250.1.213.4.5.2.1.101', 'PAT-TROIS', '101235555'] : ['2.25.1001', 'EXEMPLE', '1999999999'],
  );
  assert.equal(
    kos.requests.map(({ accessionNumber, placerOrderNumber }) => [accessionNumber.value, placerOrderNumber.value]),
    present ? [['ACN101', 'OPN101']] : [['ACN1001', 'OPN1001']],
  );
  assert.equal(
    kos.series.map(({ seriesNumber, instances }) => [seriesNumber, instances.length]),
    present
      ? [
          [1000, 1],
          [1001, 1],
          [1003, 1],
        ]
      : [
          [1, 3],
          [2, 1],
        ],
  );
  assert.ok(kos.series.every(({ retrieveUrl }) => /^https?:\S+$/.test(retrieveUrl)));
});

test('TEXT of others: CR, CRLF, broken accents, empty region, any order', () => {
  const text = 'Examen : Thorax\rSÃ©rie-1.2.3 : NM @ : A : b\r\nActe = Un acte\nS\uFFFDrie-1.2.4 : CT @tête : \nxyz';
  const read = readTextValue(text);
  assert.equal([read.studyDescription, read.acts, read.regions], ['Thorax', ['Un acte'], ['tête']]);
  assert.equal(
    [...read.series],
    [
      ['1.2.3', { modality: 'NM', description: 'A : b' }],
      ['1.2.4', { modality: 'CT', description: '' }],
    ],
  );
});

test.run();
