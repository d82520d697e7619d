/** The TEXT item of the KOS: exam, acts and series, for display before any image is fetched (ci-sis §4.7). */
import type { Code } from '../domain.ts';
import type { KosSeries } from './kos.ts';

/** What the text tells; a KOS fits. */
export interface TextSource {
  readonly studyDescription: string;
  readonly acts: readonly Code[];
  readonly regions: readonly Code[];
  readonly series: readonly Pick<KosSeries, 'seriesInstanceUid' | 'modality' | 'description'>[];
}

/** Lines end in LF (ci-sis §16 row 25). */
export function writeTextValue(kos: TextSource): string {
  const region = kos.regions.map(({ label }) => oneLine(label).replaceAll(/[:,@]/g, ' ')).join(', ');
  return [
    `Examen : ${oneLine(kos.studyDescription)}`,
    ...kos.acts.map(({ label }) => `Acte = ${oneLine(label)}`),
    ...kos.series.map(
      ({ seriesInstanceUid, modality, description }) =>
        `Série-${seriesInstanceUid} : ${oneLine(modality).replaceAll(/[:@]/g, ' ')} @${region} : ${oneLine(description)}`,
    ),
  ].join('\n');
}

export interface TextValue {
  readonly studyDescription: string;
  readonly acts: readonly string[];
  readonly regions: readonly string[];
  readonly series: ReadonlyMap<string, Pick<KosSeries, 'modality' | 'description'>>;
}

const EXAM = /^\s*Examen\s*:\s?(.*)$/i;
const ACT = /^\s*Acte\s*=\s?(.*)$/i;
// The é may come in any encoding, or as two wrong characters: anything short between S and rie.
const SERIES = /^\s*S.{0,4}rie\s*-\s*([0-9.]+)\s*:\s*([^@:]*?)\s*(?:@([^:]*?)\s*)?:\s?(.*)$/i;

/** Reads what others write too: CR, LF or CRLF, empty region, any order of lines. Unknown lines are passed over. */
export function readTextValue(text: string): TextValue {
  const acts: string[] = [];
  const regions = new Set<string>();
  const series = new Map<string, Pick<KosSeries, 'modality' | 'description'>>();
  let studyDescription = '';
  for (const line of text.split(/\r\n|\r|\n/)) {
    const exam = EXAM.exec(line);
    const act = ACT.exec(line);
    const one = SERIES.exec(line);
    if (one !== null) {
      series.set(one[1] ?? '', { modality: one[2] ?? '', description: (one[4] ?? '').trim() });
      for (const region of (one[3] ?? '').split(',')) if (region.trim() !== '') regions.add(region.trim());
    } else if (act !== null) acts.push((act[1] ?? '').trim());
    else if (exam !== null) studyDescription = (exam[1] ?? '').trim();
  }
  return { studyDescription, acts, regions: [...regions], series };
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').trim();
}
