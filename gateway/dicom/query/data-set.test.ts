import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scanDataSet, scannedText } from '../data-set-scan.ts';
import { part10Header } from '../part10.ts';
import { implicitVrLittleEndian, explicitVrLittleEndian } from '../uids.ts';
import { CharacterSetError, textDecoder } from './character-sets.ts';
import { DataSetError, readDataSet, writeDataSet } from './data-set.ts';
import { readIdentifier } from './identifier.ts';
import { onlySopClass } from './sop-class-by-modality.ts';
import { tags } from './tags.ts';
import { parseUid } from '../../domain.ts';
import { writeElements, type Written } from '../../../e2e/parts/dicom-writer.ts';

const qualifiers: Written[] = [
  [tags.universalEntityId, 'UT', '1.2.250.1.213.1.4.8'],
  [tags.universalEntityIdType, 'CS', 'ISO'],
];
const other: Written[] = [
  [tags.patientId, 'LO', '143047511100318'],
  [tags.issuerOfPatientIdQualifiers, 'SQ', [qualifiers]],
];
const elements: Written[] = [
  [tags.specificCharacterSet, 'CS', 'ISO_IR 100'],
  [tags.sopInstanceUid, 'UI', '1.2.3'],
  [tags.studyDescription, 'LO', 'Genou à l’œil'.replace('’', "'").replace('œ', 'oe')],
  [tags.otherPatientIds, 'SQ', [other, other]],
  [tags.instanceNumber, 'IS', '12 '],
];

for (const explicit of [true, false]) {
  const name = explicit ? 'explicit' : 'implicit';
  const bytes = writeElements(elements, explicit);

  test(`${name}: an identifier written by another writer reads right, nested sequences included`, () => {
    const identifier = readIdentifier(bytes, explicit);
    assert.is(identifier.text(tags.studyDescription), "Genou à l'oeil");
    assert.is(identifier.uid(tags.sopInstanceUid), '1.2.3');
    assert.is(identifier.integer(tags.instanceNumber), 12);
    assert.is(identifier.integer(tags.numberOfFrames), undefined);
    const items = identifier.items(tags.otherPatientIds);
    assert.is(items.length, 2);
    assert.is(
      items[1]?.items(tags.issuerOfPatientIdQualifiers)[0]?.text(tags.universalEntityId),
      '1.2.250.1.213.1.4.8',
    );
  });

  test(`${name}: cut anywhere, it is read or refused as a DataSetError`, () => {
    for (let end = 0; end < bytes.length; end++) {
      try {
        readDataSet(bytes.subarray(0, end), explicit);
      } catch (error) {
        assert.instance(error, DataSetError, `cut at ${end}: ${String(error)}`);
      }
    }
    for (let run = 0; run < 300; run++) {
      try {
        readDataSet(randomBytes(200), explicit);
      } catch (error) {
        assert.instance(error, DataSetError);
      }
    }
  });

  test(`${name}: what we write is read back`, () => {
    const written = writeDataSet(
      [
        { tag: tags.studyInstanceUid, vr: 'UI', value: '1.2.3' },
        { tag: tags.queryRetrieveLevel, vr: 'CS', value: 'SERIES' },
        { tag: tags.otherPatientIds, vr: 'SQ' },
      ],
      explicit,
    );
    const identifier = readIdentifier(written, explicit);
    assert.is(identifier.text(tags.queryRetrieveLevel), 'SERIES');
    assert.is(identifier.uid(tags.studyInstanceUid), '1.2.3');
    assert.equal(identifier.items(tags.otherPatientIds), []);
  });

  test(`${name}: a scan finds a few elements, steps over sequences, and asks for more when the head is short`, () => {
    const syntax = explicit ? explicitVrLittleEndian : implicitVrLittleEndian;
    const whole = Buffer.concat([bytes, randomBytes(4_000)]);
    const wanted = [tags.sopInstanceUid, tags.instanceNumber];
    const scan = scanDataSet(whole, syntax, wanted);
    assert.is(scan.state, 'complete');
    assert.is(scannedText(scan.found.get(tags.sopInstanceUid)), '1.2.3');
    assert.is(scannedText(scan.found.get(tags.instanceNumber)), '12');
    for (let end = 0; end < bytes.length; end++)
      assert.is(scanDataSet(bytes.subarray(0, end), syntax, wanted).state, 'more', `cut at ${end}`);
  });
}

test('sequences nested without end are refused, not followed', () => {
  const level = Buffer.from('10000210fffffffffeff00e0ffffffff', 'hex');
  assert.throws(
    () => readDataSet(Buffer.concat(Array.from({ length: 10_000 }, () => level)), false),
    (error: unknown) => error instanceof DataSetError,
  );
});

test('text is decoded by its declared character set', () => {
  const cases: readonly [term: string, hex: string, text: string][] = [
    ['', '4c4546c87652', 'LEFÈvR'],
    ['ISO_IR 6', '41', 'A'],
    ['ISO_IR 100', '4c4546c8565245', 'LEFÈVRE'],
    ['ISO_IR 101', 'a3f364bc', 'Łódź'],
    ['ISO_IR 144', 'bbeeda', 'Люк'],
    ['ISO_IR 192', '4c4546c388565245', 'LEFÈVRE'],
    ['ISO 2022 IR 100', '1b2d41c8', 'È'],
    ['ISO 2022 IR 6\\ISO 2022 IR 144', '41201b2d4cbb', 'A Л'],
  ];
  for (const [term, hex, text] of cases) assert.is(textDecoder(term)(Buffer.from(hex, 'hex')), text, term);
  assert.throws(
    () => textDecoder('ISO_IR 999'),
    (error: unknown) => error instanceof CharacterSetError,
  );
});

test('a SOP class is concluded from the study only when nothing else can occur in the series', () => {
  const [ct, mr, sc] = ['2', '4', '7'].map((suffix) => parseUid(`1.2.840.10008.5.1.4.1.1.${suffix}`));
  assert.ok(ct && mr && sc);
  assert.is(onlySopClass('CT', [ct, mr]), ct);
  assert.is(onlySopClass('CT', [ct, mr, sc]), undefined, 'a secondary capture may stand in a CT series');
  assert.is(onlySopClass('XA', [ct, mr]), undefined);
});

test('a Part 10 header names its data set and nothing of the gateway`s own', () => {
  const header = part10Header({
    sopClassUid: '1.2.3',
    sopInstanceUid: '1.2.3.4',
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    sourceAeTitle: 'PACS',
  });
  assert.is(header.toString('latin1', 128, 132), 'DICM');
  const meta = readDataSet(header.subarray(132), true);
  assert.is(meta.get(0x00020000)?.value.readUInt32LE(0), header.length - 132 - 12);
  assert.is(scannedText(meta.get(0x00020003)?.value), '1.2.3.4');
  assert.is(scannedText(meta.get(0x00020010)?.value), '1.2.840.10008.1.2.1');
  assert.is(scannedText(meta.get(0x00020016)?.value), 'PACS');
  assert.is(header.length % 2, 0);
});

test.run();
