/**
 * SOP classes whose IOD fixes the Modality (PS3.3 annex A): such a class can only occur in series of that modality, so it is
 * excluded from all others. Classes that are not here (secondary capture, encapsulated documents, raw data) may occur anywhere.
 */
import type { Uid } from '../../domain.ts';

const storage = '1.2.840.10008.5.1.4.1.1';
const modalities: readonly (readonly [modality: string, suffixes: readonly string[]])[] = [
  ['CR', ['1']],
  ['DX', ['1.1', '1.1.1']],
  ['MG', ['1.2', '1.2.1', '13.1.3', '13.1.4', '13.1.5']],
  ['IO', ['1.3', '1.3.1']],
  ['CT', ['2', '2.1', '2.2']],
  ['US', ['3.1', '6.1', '6.2']],
  ['MR', ['4', '4.1', '4.2', '4.3', '4.4']],
  ['PR', ['11.1', '11.2', '11.3', '11.4', '11.5']],
  ['XA', ['12.1', '12.1.1', '13.1.1']],
  ['RF', ['12.2', '12.2.1']],
  ['NM', ['20']],
  ['SEG', ['66.4', '66.5']],
  ['SR', ['88.11', '88.22', '88.33', '88.67']],
  ['KO', ['88.59']],
  ['PT', ['128', '128.1', '130']],
  ['RTIMAGE', ['481.1']],
  ['RTDOSE', ['481.2']],
  ['RTSTRUCT', ['481.3']],
  ['RTPLAN', ['481.5']],
];
const fixed = new Map<string, string>(
  modalities.flatMap(([modality, suffixes]) => suffixes.map((suffix) => [`${storage}.${suffix}`, modality] as const)),
);

/** The only SOP class of the study that can occur in a series of this modality; undefined when several can. */
export function onlySopClass(modality: string, classesOfStudy: readonly Uid[]): Uid | undefined {
  const [only, another] = classesOfStudy.filter((sopClass) => (fixed.get(sopClass) ?? modality) === modality);
  return another === undefined ? only : undefined;
}
