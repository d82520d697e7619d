/**
 * Synthetic studies: invented patients, noise for pixels. A CT image is 512×512, 16 bit, JPEG-LS, near 150 KB, as in the
 * examination of DB.SO.100. Four noise images are compressed once by dcmcjpls (25 ms each); every instance takes one of the
 * four pixel-data elements under a header of its own, so 1300 images take a second or two instead of half a minute.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Written, dataSetOffset, fileHeader, writeElements } from './dicom-writer.ts';

export type StudyKind = 'CT' | 'MR' | 'multiframe' | 'implicit' | 'SR' | 'KO';

/** The traits of the gateway's INS identity that a PACS knows. */
export interface StudyPatient {
  readonly matricule: string;
  readonly oid: string;
  readonly birthFamily: string;
  readonly firstBirthGiven: string;
  readonly sex: 'M' | 'F' | 'O';
  readonly birthDate: string;
}

export interface StudyOptions {
  readonly kind: StudyKind;
  readonly images: number;
  readonly patient: StudyPatient;
  readonly studyUid: string;
  /** Local patient id; the INS goes into OtherPatientIDsSequence. */
  readonly patientId?: string;
  readonly issuerOfPatientId?: string;
  readonly accessionNumber?: string;
  readonly studyDate?: string;
  readonly studyDescription?: string;
  readonly seriesDescription?: string;
  /** 1 unless told: several calls with one study UID and different numbers make a study of several series. */
  readonly seriesNumber?: number;
  /** Frames per image of `multiframe`. */
  readonly frames?: number;
}

export interface GeneratedInstance {
  readonly file: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly instanceNumber: number;
  /** Of the encoded data set, without preamble and group 0002. */
  readonly sha256: string;
  readonly dataSetBytes: number;
}

export interface GeneratedStudy {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly modality: string;
  readonly instances: readonly GeneratedInstance[];
}

interface Recipe {
  readonly modality: string;
  readonly sopClass: string;
  readonly transferSyntax: string;
  /** Columns and rows; 0 without pixels. */
  readonly size: number;
}

const explicit = '1.2.840.10008.1.2.1';
const storage = '1.2.840.10008.5.1.4.1.1';
const recipes: Readonly<Record<StudyKind, Recipe>> = {
  CT: { modality: 'CT', sopClass: `${storage}.2`, transferSyntax: '1.2.840.10008.1.2.4.80', size: 512 },
  MR: { modality: 'MR', sopClass: `${storage}.4`, transferSyntax: explicit, size: 256 },
  multiframe: { modality: 'OT', sopClass: `${storage}.7.3`, transferSyntax: explicit, size: 64 },
  implicit: { modality: 'CT', sopClass: `${storage}.2`, transferSyntax: '1.2.840.10008.1.2', size: 128 },
  SR: { modality: 'SR', sopClass: `${storage}.88.11`, transferSyntax: explicit, size: 0 },
  KO: { modality: 'KO', sopClass: `${storage}.88.59`, transferSyntax: explicit, size: 0 },
};

/** Key of an INS matricule (97 − n mod 97; Corsica's A and B count as 19 and 18 after the department). */
export function withInsKey(thirteen: string): string {
  const digits = thirteen.replace('2A', '19').replace('2B', '18');
  return thirteen + String(97n - (BigInt(digits) % 97n)).padStart(2, '0');
}

/** An invented patient; the same `index` gives the same one. */
export function inventPatient(index: number): StudyPatient {
  const sex = index % 2 === 0 ? 'F' : 'M';
  const year = String(40 + (index % 50));
  const month = String(1 + (index % 12)).padStart(2, '0');
  const order = String(index % 1000).padStart(3, '0');
  return {
    matricule: withInsKey(`${sex === 'M' ? 1 : 2}${year}${month}75111${order}`),
    oid: '1.2.250.1.213.1.4.8',
    birthFamily: `ESSAI-${order}`,
    firstBirthGiven: sex === 'M' ? 'GERARD' : 'HELENE',
    sex,
    birthDate: `19${year}${month}15`,
  };
}

/** Writes the files into `directory` (made when absent). */
export async function generateStudy(options: StudyOptions, directory: string): Promise<GeneratedStudy> {
  const recipe = recipes[options.kind];
  const seriesNumber = options.seriesNumber ?? 1;
  const seriesUid = `${options.studyUid}.${seriesNumber}`;
  await mkdir(directory, { recursive: true });
  const pixels = await pixelElements(options, recipe, directory);
  const instances: GeneratedInstance[] = [];
  for (let number = 1; number <= options.images; number++) {
    const sopInstanceUid = `${seriesUid}.${number}`;
    const dataSet = Buffer.concat([
      writeElements(
        header(options, recipe, seriesUid, sopInstanceUid, number),
        recipe.transferSyntax !== '1.2.840.10008.1.2',
      ),
      pixels[number % pixels.length] ?? Buffer.alloc(0),
    ]);
    const file = join(directory, `${options.kind}-${seriesNumber}-${String(number).padStart(5, '0')}.dcm`);
    await writeFile(file, [fileHeader(recipe.sopClass, sopInstanceUid, recipe.transferSyntax), dataSet]);
    instances.push({
      file,
      sopClassUid: recipe.sopClass,
      sopInstanceUid,
      transferSyntaxUid: recipe.transferSyntax,
      instanceNumber: number,
      sha256: createHash('sha256').update(dataSet).digest('hex'),
      dataSetBytes: dataSet.length,
    });
  }
  return { studyUid: options.studyUid, seriesUid, modality: recipe.modality, instances };
}

function header(o: StudyOptions, recipe: Recipe, seriesUid: string, sopUid: string, number: number): Written[] {
  const date = o.studyDate ?? '20260312';
  return [
    [0x00080005, 'CS', 'ISO_IR 100'],
    [0x00080016, 'UI', recipe.sopClass],
    [0x00080018, 'UI', sopUid],
    [0x00080020, 'DA', date],
    [0x00080023, 'DA', date],
    [0x00080030, 'TM', '101500'],
    [0x00080033, 'TM', '101500'],
    [0x00080050, 'SH', o.accessionNumber ?? 'ACC0001'],
    [0x00080060, 'CS', recipe.modality],
    [0x00080070, 'LO', 'DRIMbox synthetic'],
    [0x00080090, 'PN', ''],
    [0x00081030, 'LO', o.studyDescription ?? 'Étude synthétique'],
    [0x0008103e, 'LO', o.seriesDescription ?? `Série ${o.seriesNumber ?? 1}`],
    [0x00100010, 'PN', `${o.patient.birthFamily}^${o.patient.firstBirthGiven}`],
    [0x00100020, 'LO', o.patientId ?? 'IPP0001'],
    [0x00100021, 'LO', o.issuerOfPatientId ?? 'HOPITAL'],
    [0x00100030, 'DA', o.patient.birthDate],
    [0x00100040, 'CS', o.patient.sex],
    [0x00101002, 'SQ', [insItem(o.patient)]],
    [0x0020000d, 'UI', o.studyUid],
    [0x0020000e, 'UI', seriesUid],
    [0x00200010, 'SH', 'ETUDE1'],
    [0x00200011, 'IS', String(o.seriesNumber ?? 1)],
    [0x00200013, 'IS', String(number)],
    ...imageModule(o, recipe, number),
    ...documentModule(o),
  ];
}

function insItem(patient: StudyPatient): Written[] {
  const issuer: Written[] = [
    [0x00400032, 'UT', patient.oid],
    [0x00400033, 'CS', 'ISO'],
  ];
  return [
    [0x00100020, 'LO', patient.matricule],
    [0x00100022, 'CS', 'TEXT'],
    [0x00100024, 'SQ', [issuer]],
  ];
}

function imageModule(o: StudyOptions, { size }: Recipe, number: number): Written[] {
  if (size === 0) return [];
  const geometry: Written[] = [
    [0x00200032, 'DS', `0\\0\\${number}`],
    [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
    [0x00280030, 'DS', '0.5\\0.5'],
    [0x00281052, 'DS', '-1024'],
    [0x00281053, 'DS', '1'],
  ];
  return [
    [0x00280002, 'US', 1],
    [0x00280004, 'CS', 'MONOCHROME2'],
    ...(o.kind === 'multiframe' ? ([[0x00280008, 'IS', String(o.frames ?? 10)]] satisfies Written[]) : geometry),
    [0x00280010, 'US', size],
    [0x00280011, 'US', size],
    [0x00280100, 'US', 16],
    [0x00280101, 'US', 12],
    [0x00280102, 'US', 11],
    [0x00280103, 'US', 0],
  ];
}

/** SR and KO: a root container with a coded title (113000 Of Interest; 113001 would be an IOCM rejection). */
function documentModule({ kind }: StudyOptions): Written[] {
  if (kind !== 'SR' && kind !== 'KO') return [];
  const [code, meaning] = kind === 'KO' ? ['113000', 'Of Interest'] : ['126000', 'Imaging Measurement Report'];
  const title: Written[] = [
    [0x00080100, 'SH', code],
    [0x00080102, 'SH', 'DCM'],
    [0x00080104, 'LO', meaning],
  ];
  return [
    [0x0040a040, 'CS', 'CONTAINER'],
    [0x0040a043, 'SQ', [title]],
    [0x0040a050, 'CS', 'SEPARATE'],
    [0x0040a491, 'CS', 'COMPLETE'],
    [0x0040a493, 'CS', 'UNVERIFIED'],
  ];
}

/** Encoded (7FE0,0010) elements to choose from; none for documents. */
async function pixelElements(o: StudyOptions, recipe: Recipe, directory: string): Promise<Buffer[]> {
  if (recipe.size === 0) return [];
  const frames = o.kind === 'multiframe' ? (o.frames ?? 10) : 1;
  const bases = Array.from({ length: Math.min(4, Math.max(1, o.images)) }, (_, index) =>
    noise(recipe.size, frames, index + 1),
  );
  if (o.kind !== 'CT')
    return bases.map((pixels) => writeElements([[0x7fe00010, 'OW', pixels]], recipe.transferSyntax === explicit));
  const compressed: Buffer[] = [];
  for (const [index, pixels] of bases.entries()) compressed.push(await jpegLs(o, recipe, pixels, directory, index));
  return compressed;
}

async function jpegLs(
  o: StudyOptions,
  recipe: Recipe,
  pixels: Buffer,
  directory: string,
  index: number,
): Promise<Buffer> {
  const [plain, small] = [join(directory, `.plain-${index}`), join(directory, `.jpegls-${index}`)];
  const uid = `${o.studyUid}.0.${index}`;
  const elements: Written[] = [...header(o, recipe, `${o.studyUid}.0`, uid, 1), [0x7fe00010, 'OW', pixels]];
  await writeFile(plain, [fileHeader(recipe.sopClass, uid, explicit), writeElements(elements, true)]);
  await promisify(execFile)('dcmcjpls', [plain, small]);
  const file = await readFile(small);
  await Promise.all([rm(plain), rm(small)]);
  const start = file.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42]), dataSetOffset(file));
  if (start < 0) throw new Error('dcmcjpls wrote no encapsulated pixel data');
  return file.subarray(start);
}

/** 12-bit noise over a ramp: 16 grey levels of noise make JPEG-LS need about 4.6 bits a pixel. */
function noise(size: number, frames: number, seed: number): Buffer {
  const pixels = Buffer.alloc(size * size * frames * 2);
  let state = seed * 2_654_435_761;
  for (let index = 0; index < size * size * frames; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    pixels.writeUInt16LE(1024 + (index % size) + (state >>> 28), index * 2);
  }
  return pixels;
}
