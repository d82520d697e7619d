import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KosImpossible, buildKos, retrieveUrl } from './build.ts';
import { foundStudy, kosInput, sampleKos, uid } from './sample.fixture.ts';
import { uidMaker } from './uids.ts';

test('series and instances are in order of their numbers, whatever the PACS sends', () => {
  const kos = sampleKos({ found: foundStudy([3, 2]) });
  assert.equal(
    kos.series.map(({ seriesNumber, instances }) => [seriesNumber, ...instances.map((one) => one.instanceNumber)]),
    [
      [1, 1, 2, 3],
      [2, 1, 2],
    ],
  );
  const shuffled = foundStudy([3, 2]);
  const other = sampleKos({
    found: { ...shuffled, series: shuffled.series.toReversed(), instances: shuffled.instances.toReversed() },
  });
  assert.equal(kos, other);
});

test('the KOS has new UIDs, the site’s local time, and the PACS’s study', () => {
  const kos = sampleKos();
  assert.not.equal(kos.sopInstanceUid, kos.seriesInstanceUid);
  assert.equal([kos.createdDate, kos.createdTime, kos.timezoneOffset], ['20260702', '003005', '+0200']);
  assert.equal([kos.studyDate, kos.studyTime, kos.studyDescription], ['20260310', '090000.5', 'Scanner cérébral']);
});

test('retrieve URLs name the PACS’s own FQDN, the port only when it is not 443', () => {
  const [study, series] = [uid('1.2'), uid('1.3')];
  const base = { wadoFqdn: 'db1.example' };
  assert.is(
    retrieveUrl({ ...base, publicPort: 443 }, study, series),
    'https://db1.example/dicom-web-rs/studies/1.2/series/1.3',
  );
  assert.match(retrieveUrl({ ...base, publicPort: 8443 }, study, series), 'https://db1.example:8443/dicom-web-rs/');
});

test('accession numbers of earlier reports are kept, each pair once', () => {
  const pair = (an: string): ReturnType<typeof kosInput>['report']['orders'][number] => ({
    accessionNumber: { value: an, authority: '1.2' },
    placerOrderNumber: { value: `O${an}`, authority: '1.3' },
  });
  const { patient } = kosInput().report;
  const kos = sampleKos({
    earlierRequests: [pair('A'), pair('B')],
    report: { patient, orders: [pair('B'), pair('C')] },
  });
  assert.equal(
    kos.requests.map(({ accessionNumber }) => accessionNumber.value),
    ['A', 'B', 'C'],
  );
});

test('instances under an excluded root stay out, their series too when nothing is left', () => {
  const pacs = { ...kosInput().pacs, excludedSopInstanceRoots: ['2.25.20.2'] };
  const kos = sampleKos({ found: foundStudy([2, 2, 1]), pacs });
  assert.equal(
    kos.series.map(({ seriesNumber }) => seriesNumber),
    [1, 3],
  );
  const near = sampleKos({ pacs: { ...pacs, excludedSopInstanceRoots: ['2.25.2'] } });
  assert.is(near.series.length, 2, 'a root ends at a dot');
});

test('no instance, another study, or no SOP class: no KOS', () => {
  const kinds = [
    kosInput({ found: foundStudy([0]) }),
    kosInput({ found: foundStudy([1], { studyInstanceUid: uid('2.25.9') }) }),
    kosInput({
      found: foundStudy([1], {
        instances: foundStudy([1]).instances.map((one) => ({ ...one, sopClassUid: undefined })),
      }),
    }),
  ].map((input) => {
    try {
      buildKos(input);
      return 'built';
    } catch (error) {
      return error instanceof KosImpossible ? error.kind : String(error);
    }
  });
  assert.equal(kinds, ['noInstance', 'otherStudy', 'noSopClass']);
});

test('UIDs: 2.25 or the site’s root, never too long', () => {
  const largest = (): string => 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  assert.is(uidMaker(undefined, largest)(), '2.25.340282366920938463463374607431768211455');
  assert.match(uidMaker('1.2.250.1.999')(), /^1\.2\.250\.1\.999\.\d+$/);
  assert.throws(() => uidMaker('1.2.250.1.999.1.2.3.4.5.6.7'), /at most 24/);
});

test.run();
