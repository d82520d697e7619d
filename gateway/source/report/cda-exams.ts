/** What was asked for and what was done: orders and service events of the CDA header, merged per study (ci-sis §3.1–3.3). */
import type { Code, Identifier } from '../../domain.ts';
import { readCode, readOrganization } from './cda-people.ts';
import type { CdaNode } from './cda-xml.ts';
import type { ReportedOrder, ReportedStudy } from './report.ts';

/** One inFulfillmentOf/order: both lists may be empty. */
export interface CdaOrder {
  readonly placers: readonly Identifier[];
  readonly accessions: readonly Identifier[];
}

/** A study before its UID is checked. */
export type CdaStudy = Omit<ReportedStudy, 'studyInstanceUid'> & { readonly uid: string };

/** CCAM under the OIDs of the 2022 and of the 2024 model (ci-sis §0.1). */
const CCAM = ['1.2.250.1.213.2.5', '1.2.250.1.215.300.1'];
const QUALIFIED_BY = { modality: '121139', region: '39111-0' } as const;

export function readOrders(document: CdaNode): readonly CdaOrder[] {
  return document.nodes('h:inFulfillmentOf/h:order').map((order) => ({
    placers: identifiers(order, 'h:id'),
    accessions: identifiers(order, 'ps3-20:accessionNumber'),
  }));
}

/** Every pair of the same order, each once (ci-sis §4.5). */
export function pairOrders(orders: readonly CdaOrder[]): readonly ReportedOrder[] {
  const pairs = orders.flatMap(({ placers, accessions }) =>
    accessions.flatMap((accessionNumber) =>
      placers.map((placerOrderNumber) => ({ accessionNumber, placerOrderNumber })),
    ),
  );
  return uniqueBy(pairs, (pair) => JSON.stringify(pair));
}

/** Service events that name a study; those that name the same one are merged (ci-sis §3.3). Events without id are other acts. */
export function readStudies(document: CdaNode): readonly CdaStudy[] {
  const events = document
    .nodes('h:documentationOf/h:serviceEvent')
    .map(readEvent)
    .filter(({ uid }) => uid !== '');
  const merged = new Map<string, CdaStudy>();
  for (const event of events) {
    const known = merged.get(event.uid);
    merged.set(event.uid, known === undefined ? event : merge(known, event));
  }
  return [...merged.values()];
}

function readEvent(event: CdaNode): CdaStudy {
  const start = event.text('h:effectiveTime/h:low/@value') || event.text('h:effectiveTime/@value');
  const stop = event.text('h:effectiveTime/h:high/@value');
  const organization = 'h:performer/h:assignedEntity/h:representedOrganization';
  const performer = readOrganization(event, organization);
  const practiceSetting = readCode(event, `${organization}/h:standardIndustryClassCode`);
  const act = readCode(event, 'h:code');
  return {
    uid: event.text('h:id/@root'),
    modalities: translations(event, `h:qualifier/h:name/@code='${QUALIFIED_BY.modality}'`),
    regions: translations(event, `h:qualifier/h:name/@code='${QUALIFIED_BY.region}'`),
    acts: [
      ...(act === undefined ? [] : [act]),
      ...translations(event, CCAM.map((oid) => `@codeSystem='${oid}'`).join(' or ')),
    ],
    ...(start === '' ? {} : { start }),
    ...(stop === '' ? {} : { stop }),
    ...(performer.id === '' ? {} : { performer }),
    ...(practiceSetting === undefined ? {} : { practiceSetting }),
  };
}

function translations(event: CdaNode, condition: string): readonly Code[] {
  const codes = event.nodes(`h:code/h:translation[${condition}]`).flatMap((node) => readCode(node, '.') ?? []);
  return uniqueBy(codes, ({ code, system }) => `${system}|${code}`);
}

function merge(first: CdaStudy, second: CdaStudy): CdaStudy {
  const codes = (key: 'modalities' | 'regions' | 'acts'): readonly Code[] =>
    uniqueBy([...first[key], ...second[key]], ({ code, system }) => `${system}|${code}`);
  return { ...second, ...first, modalities: codes('modalities'), regions: codes('regions'), acts: codes('acts') };
}

function identifiers(order: CdaNode, path: string): readonly Identifier[] {
  return order
    .nodes(path)
    .map((node) => ({ value: node.text('@extension'), authority: node.text('@root') }))
    .filter(({ value, authority }) => value !== '' && authority !== '');
}

function uniqueBy<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  return [...new Map(items.toReversed().map((item) => [key(item), item] as const)).values()].toReversed();
}
