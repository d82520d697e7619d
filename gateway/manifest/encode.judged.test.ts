/** dciodvfy, dsrdump and dcmdump, which we did not write, on KOS of every shape. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeDicom } from '../../e2e/judges/dicom.ts';
import { encodeKos } from './encode.ts';
import type { Kos } from './kos.ts';
import { foundStudy, kosInput, sampleKos, samplePatient } from './sample.fixture.ts';

const [order] = kosInput().report.orders;
const more = ['A2', 'A3'].flatMap((value) =>
  order === undefined ? [] : [{ ...order, accessionNumber: { value, authority: '1.2.250.9' } }],
);
const accented = {
  ...samplePatient,
  birthFamily: 'LŒUVRE-ÇÀ',
  usedFamily: 'NOËL',
  usedGiven: 'ÉLOÏ',
  sex: 'O' as const,
};
const bare = foundStudy([2, 1], { studyDescription: '', studyId: '', studyDate: '', studyTime: '' });
const nameless = {
  ...bare,
  series: bare.series.map((one) => ({ ...one, description: '', seriesNumber: undefined })),
  instances: bare.instances.map((one, at) => ({ ...one, instanceNumber: undefined, numberOfFrames: at + 2 })),
};

const shapes: Readonly<Record<string, Kos>> = {
  plain: sampleKos(),
  accents: sampleKos({ report: { ...kosInput().report, patient: accented } }),
  'no description, no number, multi-frame': sampleKos({ found: nameless }),
  'several accession numbers': sampleKos({ earlierRequests: more }),
  '1 300 instances': sampleKos({ found: foundStudy([650, 650]) }),
};
/** What dciodvfy notices and we mean: attributes the French profile adds (ci-sis §4.6), and what a PACS left empty (type 2). */
const MEANT = [
  /(?:RetrieveURL|InstanceNumber|SeriesNumber|NumberOfFrames)\([0-9a-f,]+\)> - Attribute is not present in standard DICOM IOD/,
  /(?:StudyDate|StudyTime|StudyID)\([0-9a-f,]+\)> - Missing attribute or value that would be needed to build DICOMDIR/,
];

for (const [name, kos] of Object.entries(shapes)) {
  test(`the judges find no error in a KOS: ${name}`, async () => {
    const verdict = await judgeDicom(encodeKos(kos).bytes);
    assert.equal(verdict.errors, []);
    assert.equal(verdict.complaints, []);
    assert.equal(
      verdict.warnings.filter((line) => !MEANT.some((pattern) => pattern.test(line))),
      [],
    );
    assert.match(verdict.report, 'Key Object Selection Document');
    const references = verdict.report.match(/<contains (?:IMAGE|COMPOSITE):/g) ?? [];
    assert.is(
      references.length,
      kos.series.reduce((total, { instances }) => total + instances.length, 0),
    );
  });
}

test.run();
