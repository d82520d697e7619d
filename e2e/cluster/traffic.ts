/** What partners and the RIS do with the demo's sites on a cluster while something happens to it. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { fqdnOf, professional, reportFor } from '../demo/world.ts';
import type { DmpEntry } from '../parts/dmp.ts';
import {
  boundaryOf,
  describe,
  fetchSeries,
  openSeries,
  readParts,
  type SeriesAnswer,
  type SeriesCall,
} from '../parts/drimbox-client.ts';
import { patients } from '../parts/patients.ts';
import { reportMessage } from '../parts/reports.ts';
import { sendMllp } from '../parts/ris.ts';
import { type GeneratedStudy, generateStudy } from '../parts/studies.ts';
import { eventually } from './objects.ts';
import type { ClusterStage } from './stage.ts';

export interface Exam {
  readonly study: GeneratedStudy;
  readonly kos: DmpEntry;
}

/** The stage's own exam, whose report is sent here, published. */
export async function publishExam(stage: ClusterStage): Promise<Exam> {
  await sendReport(stage, stage.study);
  return await known(stage, stage.study);
}

/** The DMP has it a moment before the gateway noted that it has. */
async function known(stage: ClusterStage, study: GeneratedStudy): Promise<Exam> {
  const exam = { study, kos: await kosOf(stage, study) };
  await eventually('the gateway knows its KOS', async () => (await fetchExam(stage, exam)).status !== 404);
  return exam;
}

/** An exam of a few images that the PACS of nord has from now on, published. */
export async function publishAnother(stage: ClusterStage): Promise<Exam> {
  const study = await generateStudy(
    {
      kind: 'MR',
      images: 3,
      patient: patients.marie,
      patientId: patients.marie.ipp,
      studyUid: `2.25.${BigInt(Date.now()) * 1_000_000n + BigInt(process.pid)}`,
      accessionNumber: 'ACN2001',
    },
    mkdtempSync(join(stage.directory, 'exam-')),
  );
  for (const { file } of study.instances) await stage.sites[0]?.orthanc.upload(file);
  await sendReport(stage, study);
  return await known(stage, study);
}

/** @throws Error unless the gateway accepts it (AA) */
export async function sendReport(stage: ClusterStage, study: GeneratedStudy): Promise<void> {
  const [site] = stage.sites;
  if (site === undefined) throw new Error('the demo has two sites');
  const message = reportMessage(reportFor(site.spec, study));
  const ack = (await sendMllp(stage.mllp.host, stage.mllp.port, message)).toString('latin1');
  if (!ack.includes('\rMSA|AA|')) throw new Error(`the report was not accepted: ${ack}`);
}

export function allKosOf({ services }: ClusterStage, { studyUid }: GeneratedStudy): readonly DmpEntry[] {
  return services.dmp
    .approvedKos()
    .filter(({ referenceIds }) => referenceIds.some((id) => id.startsWith(`${studyUid}^`)));
}

async function kosOf(stage: ClusterStage, study: GeneratedStudy): Promise<DmpEntry> {
  await eventually('the KOS in the DMP', () => allKosOf(stage, study).length > 0);
  const [kos] = allKosOf(stage, study);
  if (kos === undefined) throw new Error('there was one a moment ago');
  return kos;
}

async function callFor(stage: ClusterStage, { study, kos }: Exam): Promise<SeriesCall> {
  const caller = stage.sites[1]?.spec.links[0]?.db.certificate;
  if (caller === undefined) throw new Error('the remote DRIMbox has a certificate');
  const { psc, pki } = stage.services;
  return {
    url: `https://${fqdnOf('db', 'nord')}:${stage.publicPort}/dicom-web-rs/studies/${study.studyUid}/series/${study.seriesUid}`,
    connectTo: stage.ingress,
    certificateFile: caller.certificateFile,
    keyFile: caller.keyFile,
    caFile: pki.bundleFile,
    token: await psc.tokenFor(professional.id, 'viewer-demo'),
    kosSopInstanceUid: kos.uniqueId,
  };
}

/** Over a new connection. */
export async function fetchExam(stage: ClusterStage, exam: Exam): Promise<SeriesAnswer> {
  return await fetchSeries(await callFor(stage, exam));
}

/** @throws Error unless each image came once, with the bytes that the PACS was given */
export async function fetchWhole(stage: ClusterStage, exam: Exam): Promise<void> {
  const { status, body, parts } = await fetchExam(stage, exam);
  if (status !== 200) throw new Error(`HTTP ${status} ${body}`);
  whole(exam, new Map(parts.map(({ sopInstanceUid, dataSetSha256 }) => [sopInstanceUid, dataSetSha256])), parts.length);
}

function whole({ study }: Exam, received: ReadonlyMap<string, string>, count: number): void {
  const wrong = study.instances.filter(({ sopInstanceUid, sha256 }) => received.get(sopInstanceUid) !== sha256);
  if (wrong.length > 0 || count !== study.instances.length)
    throw new Error(`${count} images, ${wrong.length} of ${study.instances.length} missing or different`);
}

/** A gateway that was replaced is reached again once the node has learnt its address. */
export async function untilServed(stage: ClusterStage, exam: Exam): Promise<void> {
  let last = '';
  const look = async (): Promise<boolean> => {
    const { status, body } = await fetchExam(stage, exam);
    last = `${status} ${body}`;
    return status === 200;
  };
  await eventually('the exam is served', look).catch((error: unknown) => {
    throw new Error(`${String(error)}; lately ${last}`);
  });
}

export interface SlowDownload {
  /** Of the caller's end, by which the node's connections are told apart. */
  readonly localPort: number;
}

/** Milliseconds between two reads of 16 KB or so, by the part that has come: 600 images last for minutes. Never so long as to be a stall. */
const slowMs = (part: number): number => (part < 0.5 ? 20 : 200);

/**
 * Has the exam downloaded at a crawl while something happens; then reads on at full speed.
 * @throws Error unless it was under way all the time, and arrives whole
 */
export async function whileDownloading(
  stage: ClusterStage,
  exam: Exam,
  happens: (slow: SlowDownload) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const response = await openSeries({ ...(await callFor(stage, exam)), signal: over.signal });
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`);
  const received = new Map<string, string>();
  const state = { slow: true, count: 0, arrived: false };
  const reading = (async () => {
    const boundary = boundaryOf(response.headers['content-type'] ?? '');
    for await (const { transferSyntaxUid, file } of readParts(
      paced(response, exam.study.instances.length, state),
      boundary,
      0,
    )) {
      const { sopInstanceUid, dataSetSha256 } = describe(transferSyntaxUid, file);
      received.set(sopInstanceUid, dataSetSha256);
      state.count += 1;
    }
    state.arrived = true;
  })();
  reading.catch(() => undefined); // seen below, when the event is over
  try {
    await eventually('the download is under way', () => state.count > 0);
    await happens({ localPort: response.socket.localPort ?? 0 });
    if (state.arrived) throw new Error('the download ended before the event did');
    state.slow = false;
    await reading.catch((error: unknown) => {
      throw new Error(`cut after ${state.count} of ${exam.study.instances.length} images`, { cause: error });
    });
    whole(exam, received, state.count);
  } finally {
    over.abort(); // it would hold one of the PACS's few associations
  }
}

async function* paced(
  response: IncomingMessage,
  images: number,
  pace: { readonly slow: boolean; readonly count: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of response) {
    yield chunk as Buffer;
    if (pace.slow) await sleep(slowMs(pace.count / images));
  }
}

export interface Handshakes {
  /** Serial numbers seen so far, and why each that failed did. */
  readonly serials: ReadonlySet<string>;
  readonly failures: readonly string[];
  done(): number;
  stop(): Promise<void>;
}

/** One after the other, for as long as it lasts. */
export function handshakes({ ingress }: ClusterStage, fqdn: string, ca: string): Handshakes {
  const serials = new Set<string>();
  const failures: string[] = [];
  const state = { on: true, done: 0 };
  const looping = (async () => {
    while (state.on) {
      const socket = connect({ ...ingress, servername: fqdn, ca });
      try {
        await once(socket, 'secureConnect');
        serials.add(socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? '');
      } catch (error) {
        failures.push(String(error));
      } finally {
        // Without a certificate of the caller's the ingress closes once its own was shown
        socket.on('error', () => undefined);
        socket.destroy();
        state.done += 1;
      }
      await sleep(20);
    }
  })();
  return {
    serials,
    failures,
    done: () => state.done,
    async stop() {
      state.on = false;
      await looping;
    },
  };
}
