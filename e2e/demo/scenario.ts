/** The main job, from a report to its images, as people and other DRIMboxes see it. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { judgeDicom } from '../judges/dicom.ts';
import type { DmpEntry, DmpSimulator } from '../parts/dmp.ts';
import { fetchSeries, losslessAccept, type SeriesAnswer } from '../parts/drimbox-client.ts';
import { gatewayPage, startOperator, type RunningOperator, untilReady } from '../parts/operator.ts';
import type { Orthanc } from '../parts/orthanc.ts';
import { createPki } from '../parts/pki.ts';
import { reportMessage } from '../parts/reports.ts';
import { sendMllp } from '../parts/ris.ts';
import type { GeneratedStudy } from '../parts/studies.ts';
import type { Narrator } from './narrator.ts';
import {
  type DemoSite,
  fqdnOf,
  namespace,
  type NationalServices,
  type Ports,
  professional,
  putImages,
  reportFor,
  startNationalServices,
  startSites,
  takePorts,
  writeResources,
} from './world.ts';

/** What the main job needs, wherever the product runs. */
export interface Stage {
  readonly services: NationalServices;
  readonly sites: readonly DemoSite[];
  readonly study: GeneratedStudy;
  /** Of the public FQDNs, as partners connect. */
  readonly ingress: { readonly host: string; readonly port: number };
  /** In the URLs of the KOS. */
  readonly publicPort: number;
  /** Where the RIS of the first site sends. */
  readonly mllp: { readonly host: string; readonly port: number };
  /** /metrics of the first site's gateway. */
  metrics(): Promise<string>;
}

export interface DemoWorld extends Stage {
  readonly directory: string;
  readonly ports: Ports;
  readonly operator: RunningOperator;
  stop(): Promise<void>;
}

export interface DemoResult {
  readonly ok: boolean;
  readonly report: { readonly ack: string; readonly controlId: string };
  readonly kos: {
    readonly sopInstanceUid: string;
    readonly instances: number;
    readonly bytes: number;
    readonly errors: number;
  };
  readonly dmp: { readonly uniqueId: string; readonly entryUuid: string };
  readonly retrieve: {
    readonly status: number;
    readonly instances: number;
    readonly identical: boolean;
    readonly bytes: number;
    readonly firstImageMs: number;
    readonly totalMs: number;
  };
  readonly health: { readonly drimbox: string; readonly pacs: string };
  /** What an integrator wants to hold in hand. */
  readonly artefacts: {
    readonly report: Buffer;
    readonly kos: Buffer;
    readonly submissionFile: string;
    readonly metrics: string;
    readonly retrieveUrl: string;
  };
}

/** Everything up and Ready. What was started is stopped again when a step fails. */
export async function openWorld(directory: string, images: number, narrator: Narrator): Promise<DemoWorld> {
  mkdirSync(directory, { recursive: true });
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const ports = await takePorts();
    const pki = await narrator.step('certificates (IGC-Santé-like PKI)', () => createPki(join(directory, 'pki')));
    const services = await narrator.step('national services (DMP, PSC, whitelist: simulators)', () =>
      startNationalServices(directory, pki),
    );
    stops.push(
      () => services.dmp.close(),
      () => services.psc.close(),
      () => services.whitelist.close(),
    );
    const sites = await narrator.step('two PACS (Orthanc)', () => startSites(directory, pki, ports));
    for (const { orthanc } of sites) stops.push(() => orthanc.stop());
    const [first] = sites;
    if (!first) throw new Error('the demo has two sites');
    const study = await narrator.step(`${images} CT images into the PACS of nord`, () =>
      putImages(directory, first.orthanc, images),
    );
    await narrator.step(
      'resources (YAML, certificates in secrets/)',
      () => Promise.resolve(writeResources(join(directory, 'resources'), services, sites, ports)),
      (files) => files.map((file) => file.split('/').at(-1)).join(' '),
    );
    const operator = await narrator.step('operator, gateways, Envoy: every resource Ready', async () => {
      const started = await startOperator({
        directory: join(directory, 'resources'),
        state: join(directory, 'state'),
        publicPort: ports.public,
        logFile: join(directory, 'operator.log'),
      });
      stops.push(() => started.stop());
      await untilReady(started, 5, 60_000);
      return started;
    });
    return {
      directory,
      ports,
      services,
      sites,
      study,
      operator,
      stop,
      ingress: { host: '127.0.0.1', port: ports.public },
      publicPort: ports.public,
      mllp: { host: '127.0.0.1', port: first.spec.mllpPort },
      metrics: async () => await gatewayPage(operator.state, `${namespace}/nord`, '/metrics'),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Report in, KOS out, images out, health. */
export async function runMainJob(
  world: Stage,
  narrator: Narrator,
  onImage: (sopInstanceUid: string, file: Buffer) => void,
): Promise<DemoResult> {
  const { services, sites, study, publicPort } = world;
  const [site, remote] = sites;
  if (!site || !remote) throw new Error('the demo has two sites');
  const spec = reportFor(site.spec, study);
  const message = reportMessage(spec);
  const ack = await narrator.step(
    'report sent by the RIS over MLLP',
    () => sendMllp(world.mllp.host, world.mllp.port, message),
    ackCode,
  );
  const entry = await narrator.step(
    'KOS published to the DMP (TD2.1)',
    () => publishedEntry(services.dmp, study.studyUid),
    ({ uniqueId }) => uniqueId,
  );
  const kos = services.dmp.document(entry.uniqueId);
  const judged = await narrator.step(
    'KOS judged by dciodvfy',
    async () => (await judgeDicom(kos)).errors,
    (errors) => `${errors.length} errors`,
  );
  const retrieveUrl = `https://${fqdnOf('db', 'nord')}:${publicPort}/dicom-web-rs/studies/${study.studyUid}/series/${study.seriesUid}`;
  const caller = remote.spec.links[0]?.db.certificate;
  if (!caller) throw new Error('the remote DRIMbox has a certificate');
  const answer = await narrator.step(
    'series fetched as a remote DRIMbox (mTLS, token, KOS id)',
    async () =>
      await fetchSeries({
        url: retrieveUrl,
        connectTo: world.ingress,
        certificateFile: caller.certificateFile,
        keyFile: caller.keyFile,
        caFile: services.pki.bundleFile,
        token: await services.psc.tokenFor(professional.id, 'viewer-demo'),
        kosSopInstanceUid: entry.uniqueId,
        accept: losslessAccept,
        onPart: (part, file) => onImage(part.sopInstanceUid, file),
      }),
    ({ status, parts, bytes }) => `HTTP ${status}, ${parts.length} images, ${(bytes / 1e6).toFixed(1)} MB`,
  );
  const identical = await narrator.step(
    'each image compared byte for byte with the PACS',
    () => sameAsPacs(answer, site.orthanc, study),
    (same) => (same ? 'identical' : 'DIFFERENT'),
  );
  const health = await narrator.step(
    'health weather asked on the vi FQDN',
    () => askHealth(world),
    ({ drimbox, pacs }) => `drimbox ${drimbox}, pacs ${pacs}`,
  );
  const metrics = await world.metrics();
  const retrieve = {
    status: answer.status,
    instances: answer.parts.length,
    identical,
    bytes: answer.bytes,
    firstImageMs: Math.round(answer.firstPartMs),
    totalMs: Math.round(answer.totalMs),
  };
  const submissionFile = services.dmp.requests('ITI-41').at(-1) ?? '';
  return {
    ok:
      ackCode(ack) === 'AA' &&
      judged.length === 0 &&
      answer.status === 200 &&
      identical &&
      health.drimbox === 'UP' &&
      health.pacs === 'UP',
    report: { ack: ackCode(ack), controlId: spec.controlId },
    kos: {
      sopInstanceUid: entry.uniqueId,
      instances: study.instances.length,
      bytes: kos.length,
      errors: judged.length,
    },
    dmp: { uniqueId: entry.uniqueId, entryUuid: entry.entryUuid },
    retrieve,
    health,
    artefacts: { report: message, kos, submissionFile, metrics, retrieveUrl },
  };
}

function ackCode(ack: Buffer): string {
  return /\rMSA\|(\w+)/.exec(ack.toString('latin1'))?.[1] ?? 'none';
}

async function publishedEntry(dmp: DmpSimulator, study: string): Promise<DmpEntry> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const entry = dmp.approvedKos().find(({ referenceIds }) => referenceIds.some((id) => id.startsWith(`${study}^`)));
    if (entry) return entry;
    if (Date.now() > deadline) throw new Error('the KOS did not reach the DMP within 30 s; see the gateway log');
    await sleep(20);
  }
}

/** The PACS's own copy of each image, asked by REST; data sets compared by SHA-256. */
async function sameAsPacs(answer: SeriesAnswer, orthanc: Orthanc, study: GeneratedStudy): Promise<boolean> {
  const received = new Map(answer.parts.map((part) => [part.sopInstanceUid, part.dataSetSha256]));
  if (received.size !== study.instances.length || answer.parts.length !== received.size) return false;
  const found = (await orthanc.rest('POST', '/tools/find', {
    Level: 'Instance',
    Query: { StudyInstanceUID: study.studyUid },
    Expand: true,
  })) as readonly { ID: string; MainDicomTags: { SOPInstanceUID: string } }[];
  for (const { ID, MainDicomTags } of found) {
    const response = await fetch(`http://${orthanc.host}:${orthanc.httpPort}/instances/${ID}/file`);
    const file = Buffer.from(await response.arrayBuffer());
    const dataSet = file.subarray(144 + file.readUInt32LE(140));
    if (received.get(MainDicomTags.SOPInstanceUID) !== createHash('sha256').update(dataSet).digest('hex')) return false;
  }
  return found.length === received.size;
}

async function askHealth(world: Stage): Promise<{ drimbox: string; pacs: string }> {
  const ask = async (path: string): Promise<string> => {
    const answer = await fetchSeries({
      url: `https://${fqdnOf('vi', 'nord')}:${world.publicPort}${path}`,
      connectTo: world.ingress,
      caFile: world.services.pki.bundleFile,
      accept: ['application/json'],
    });
    return (JSON.parse(answer.body) as { status: string }).status;
  };
  return { drimbox: await ask('/healthcheck/drimbox'), pacs: await ask('/healthcheck/pacs') };
}
