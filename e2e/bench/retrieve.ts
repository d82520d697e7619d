/** `drimbox bench retrieve`: legs interleaved, each round within seconds, so that what the machine does besides meets them alike. */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { createNarrator, type Narrator } from '../demo/narrator.ts';
import { bareLeg, directLeg, type Leg, memoryLeg, ourLeg, slowLeg } from './legs.ts';
import { describeMachine } from './machine.ts';
import type { RetrieveOptions } from './options.ts';
import { type BenchResult, isFaithful, type LegName, legResult, ratiosOf, type Run, type Setting } from './result.ts';
import { measureShaped } from './shaped.ts';
import { type BenchWorld, openBenchWorld, type Places } from './world.ts';

export const linkRate = '1gbit';
/** With Nagle's algorithm at its end, each image of a bare C-MOVE waits some 40 ms for an acknowledgement. */
const bareWithNagle = 'one may last a minute';

export async function benchRetrieve(options: RetrieveOptions): Promise<BenchResult> {
  const narrator = createNarrator(options.json);
  const machine = describeMachine();
  const skipped: { what: string; why: string }[] = [];
  const settings: Setting[] = [...(await measureHere(options, undefined, narrator))];
  if (options.nagle && options.runs > 1)
    skipped.push({ what: 'more than one bare C-MOVE from the PACS with Nagle', why: bareWithNagle });
  if (options.shaped) {
    const shaped = await measureShaped(options, linkRate, narrator);
    if (shaped.ok) settings.push(...shaped.settings);
    else skipped.push({ what: `link of ${linkRate}`, why: shaped.why });
  }
  const [first] = settings;
  const bytes = first?.legs[0]?.runs[0]?.bytes ?? 0;
  const { images, runs } = options;
  return {
    bench: 'retrieve',
    machine,
    images,
    bytes,
    runs,
    settings,
    skipped,
    equal: isFaithful(settings, images),
  };
}

/** In this network namespace; the PACS and the client elsewhere when told so. */
export async function measureHere(
  options: RetrieveOptions,
  places: Places | undefined,
  narrator: Narrator,
): Promise<readonly Setting[]> {
  // short: Unix sockets live below it
  const directory = resolve('.drimbox', `bench-${process.pid}`);
  const nagle = options.nagle && places === undefined;
  const clean = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.on('exit', clean); // told to stop: hundreds of megabytes must not stay
  try {
    const world = await openBenchWorld({ directory, images: options.images, nagle, places, narrator });
    return await measureAll(world, options, narrator);
  } finally {
    process.off('exit', clean);
    clean();
  }
}

async function measureAll(
  world: BenchWorld,
  options: RetrieveOptions,
  narrator: Narrator,
): Promise<readonly Setting[]> {
  try {
    const settings: Setting[] = [];
    for (const site of world.sites) {
      const legs = legsFor(world, site);
      settings.push(
        await measure(legs, { ...options, link: world.places ? linkRate : 'none', nagle: site.nagle }, narrator),
      );
    }
    return settings;
  } finally {
    await world.stop();
  }
}

function legsFor(world: BenchWorld, site: BenchWorld['sites'][number]): readonly Leg[] {
  const bare = bareLeg(world, site);
  // a PACS with Nagle differs by the way in alone
  if (site.nagle) return [once(bare), ourLeg(world, site)];
  const shared = [bare, memoryLeg(world, site), ourLeg(world, site)];
  // shaped, the client stands in another namespace than the gateway's loopback listener
  return world.places === undefined ? [...shared, directLeg(world, site), once(slowLeg(world, site))] : shared;
}

function once(leg: Leg): Leg {
  return { ...leg, once: true };
}

async function measure(
  legs: readonly Leg[],
  { link, nagle, runs }: { readonly link: string; readonly nagle: boolean; readonly runs: number },
  narrator: Narrator,
): Promise<Setting> {
  const about = `${nagle ? ', Nagle' : ''}, link ${link}`;
  const done = new Map<LegName, Run[]>(legs.map(({ name }) => [name, []]));
  const repeated = legs.filter((leg) => leg.once !== true);
  // code compiled, pages cached, DICOM threads started
  for (const leg of repeated) await narrator.step(`warm-up: ${leg.name}${about}`, () => leg.run(), describeRun);
  for (let round = 1; round <= runs; round++)
    for (const leg of round === 1 ? legs : repeated)
      done.get(leg.name)?.push(await narrator.step(`run ${round}: ${leg.name}${about}`, () => leg.run(), describeRun));
  const results = [...done].map(([name, measured]) => legResult(name, measured));
  return { link, nagle, legs: results, ratios: ratiosOf(results) };
}

function describeRun({ wallMs, images, equal }: Run): string {
  return `${Math.round(wallMs)} ms, ${images} images${equal === undefined ? '' : equal ? ', equal' : ', DIFFERENT'}`;
}
