/** Did the exam change since the manifest was published? Never by bytes: UIDs and times of the KOS itself differ always (ci-sis §4.9). */
import type { DecodedKos } from './decode.ts';
import { toLatin1 } from './latin1.ts';
import { writeTextValue } from './text-value.ts';

export interface KosDifference {
  /** e.g. `patient.birthFamily`, `requests`, `series 1.2.3: instances`. */
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Compare both as read (`decodeKos`) when a name may have been cut on writing.
 * @returns differences on the canonical subset of ci-sis §4.9; none means that there is nothing to publish again.
 */
export function compareKos(before: DecodedKos, after: DecodedKos): readonly KosDifference[] {
  const [left, right] = [canonical(before), canonical(after)];
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.flatMap((what) => {
    const [a, b] = [left.get(what) ?? 'absent', right.get(what) ?? 'absent'];
    return a === b ? [] : [{ what, before: a, after: b }];
  });
}

/** Orders that mean nothing are sorted away; text is compared as ISO_IR 100 shows it. */
function canonical(kos: DecodedKos): ReadonlyMap<string, string> {
  const facts = new Map<string, string>([['studyInstanceUid', kos.studyInstanceUid]]);
  for (const [name, value] of Object.entries(kos.patient)) facts.set(`patient.${name}`, shown(String(value)));
  facts.set('institution', shown(`${kos.institution.name} ${kos.institution.id}`));
  facts.set('studyDate', kos.studyDate);
  facts.set('studyTime', kos.studyTime);
  facts.set('studyDescription', shown(kos.studyDescription));
  facts.set('requests', kos.requests.map(requestKey).sort().join(' '));
  facts.set('text', shown(canonicalText(kos)));
  for (const series of kos.series) {
    const at = `series ${series.seriesInstanceUid}`;
    const instances = series.instances.map(
      ({ sopInstanceUid, sopClassUid, numberOfFrames }) => `${sopInstanceUid}/${sopClassUid}/${numberOfFrames ?? ''}`,
    );
    facts.set(`${at}: url`, series.retrieveUrl);
    facts.set(`${at}: number`, String(series.seriesNumber ?? ''));
    facts.set(`${at}: instances`, instances.sort().join(' '));
  }
  return facts;
}

function canonicalText(kos: DecodedKos): string {
  const [head = '', ...lines] = writeTextValue(kos).split('\n');
  return [head, ...lines.sort()].join('\n');
}

function requestKey({ accessionNumber: an, placerOrderNumber: opn }: DecodedKos['requests'][number]): string {
  return `${an.value}@${an.authority}/${opn.value}@${opn.authority}`;
}

function shown(text: string): string {
  return toLatin1(text).text;
}
