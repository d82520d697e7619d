/** What is measured: a site with a real PACS behind the real ingress, its series published, and the references beside it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Narrator } from '../demo/narrator.ts';
import {
  type DemoSite,
  type NationalServices,
  putImages,
  reportFor,
  type SiteName,
  startNationalServices,
  startSite,
  takePorts,
  writeResources,
} from '../demo/world.ts';
import { type StoreScp, startStoreScp } from '../parts/dcmtk.ts';
import type { DmpSimulator } from '../parts/dmp.ts';
import { type RunningOperator, startOperator, untilReady } from '../parts/operator.ts';
import { createPki } from '../parts/pki.ts';
import { reportMessage } from '../parts/reports.ts';
import { sendMllp } from '../parts/ris.ts';
import type { GeneratedStudy } from '../parts/studies.ts';
import { type ClientProcess, startClient } from './client-process.ts';
import { type MemoryReference, startMemoryReference } from './memory-reference.ts';

/** Where things stand when links are shaped; everything on loopback without it. */
export interface Places {
  readonly pacs: { readonly networkNamespace: string; readonly host: string };
  /** Address of the gateway as the PACS sees it, and of the ingress as the client sees it. */
  readonly gatewayHost: string;
  readonly ingressHost: string;
  readonly clientNamespace: string;
}

export interface BenchSite {
  readonly name: SiteName;
  readonly nagle: boolean;
  readonly site: DemoSite;
  readonly study: GeneratedStudy;
  /** SOP Instance UID to SHA-256. */
  readonly digestsFile: string;
  readonly kosSopInstanceUid: string;
}

export interface BenchWorld {
  readonly directory: string;
  readonly places: Places | undefined;
  readonly services: NationalServices;
  readonly operator: RunningOperator;
  readonly sites: readonly BenchSite[];
  readonly client: ClientProcess;
  readonly storescp: StoreScp;
  readonly memory: MemoryReference;
  readonly publicPort: number;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly directory: string;
  readonly images: number;
  /** Also a site whose PACS has Nagle's algorithm on. */
  readonly nagle: boolean;
  readonly places: Places | undefined;
  readonly narrator: Narrator;
}

/** What was started is stopped again when a step fails. */
export async function openBenchWorld(options: WorldOptions): Promise<BenchWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    return { ...(await build(options, (one) => stops.push(one))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  { directory, images, nagle, places, narrator }: WorldOptions,
  onStop: (stop: () => Promise<unknown>) => void,
): Promise<Omit<BenchWorld, 'stop'>> {
  mkdirSync(directory, { recursive: true });
  const ports = await takePorts();
  const pki = await createPki(join(directory, 'pki'));
  const services = await startNationalServices(directory, pki);
  for (const service of [services.dmp, services.psc, services.whitelist]) onStop(() => service.close());
  const names = nagle ? (['nord', 'sud'] as const) : (['nord'] as const);
  const demoSites: DemoSite[] = [];
  const studies: GeneratedStudy[] = [];
  for (const name of names) {
    const placing = { noDelay: name === 'nord', ...(places && { pacs: places.pacs, gatewayHost: places.gatewayHost }) };
    const site = await startSite(directory, pki, ports, name, placing);
    onStop(() => site.orthanc.stop());
    demoSites.push(site);
    const label = `${images} CT images into a PACS ${name === 'nord' ? 'without' : 'with'} Nagle`;
    studies.push(await narrator.step(label, () => putImages(join(directory, name), site.orthanc, images)));
  }
  const resources = join(directory, 'resources');
  writeResources(resources, services, demoSites, ports);
  const operator = await narrator.step('operator, gateways, Envoy: every resource Ready', async () => {
    const started = await startOperator({
      directory: resources,
      state: join(directory, 'state'),
      publicPort: ports.public,
      ...(places && { address: '0.0.0.0' }), // a network of its own: nobody else is there
      logFile: join(directory, 'operator.log'),
    });
    onStop(() => started.stop());
    await untilReady(started, 1 + 2 * names.length, 60_000);
    return started;
  });
  const sites: BenchSite[] = [];
  for (const [index, name] of names.entries()) {
    const [site, study] = [demoSites[index], studies[index]];
    if (!site || !study) throw new Error(`site ${name} was not made`);
    sites.push(
      await narrator.step(`KOS of ${name} published`, () => publish(directory, name, site, study, services.dmp)),
    );
  }
  const storescp = await startStoreScp(join(directory, 'storescp'), 'noDelay', ['+xa', '--ignore']);
  onStop(() => storescp.stop());
  const destination = places ? { ...storescp, host: places.gatewayHost } : storescp;
  for (const { orthanc } of demoSites) await orthanc.addModality(storescp.aeTitle, destination);
  const client = startClient(places?.clientNamespace);
  onStop(() => client.stop());
  const [first] = sites;
  if (!first) throw new Error('no site');
  const memory = await startMemoryReference({
    directory,
    ...first,
    state: operator.state,
    services,
    address: places ? '0.0.0.0' : '127.0.0.1',
    onStop,
  });
  return { directory, places, services, operator, sites, client, storescp, memory, publicPort: ports.public };
}

async function publish(
  directory: string,
  name: SiteName,
  site: DemoSite,
  study: GeneratedStudy,
  dmp: DmpSimulator,
): Promise<BenchSite> {
  await sendMllp('127.0.0.1', site.spec.mllpPort, reportMessage(reportFor(site.spec, study)));
  const deadline = Date.now() + 60_000;
  for (;;) {
    const entry = dmp
      .approvedKos()
      .find(({ referenceIds }) => referenceIds.some((id) => id.startsWith(`${study.studyUid}^`)));
    if (entry) {
      const digestsFile = join(directory, `digests-${name}.json`);
      const digests = study.instances.map(({ sopInstanceUid, sha256 }) => [sopInstanceUid, sha256]);
      writeFileSync(digestsFile, JSON.stringify(Object.fromEntries(digests)));
      return { name, nagle: name === 'sud', site, study, digestsFile, kosSopInstanceUid: entry.uniqueId };
    }
    if (Date.now() > deadline) throw new Error(`the KOS of ${name} did not reach the DMP within 60 s`);
    await sleep(20);
  }
}
