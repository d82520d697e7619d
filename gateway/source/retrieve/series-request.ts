/** One `GET …/studies/{study}/series/{series}`: the checks in order, then the leg; every end is journalled (DB.SO.32, DB.SO.46). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PacsConfig } from '../../../common/contract/gateway-config.ts';
import { isListed, type Whitelist } from '../../../common/whitelist/whitelist.ts';
import { parseUid, type Uid } from '../../domain.ts';
import type { Pacs } from '../../dicom/pacs.ts';
import type { Caller } from '../../identity/door.ts';
import type { TokenIntrospection } from '../../identity/peer.ts';
import { errorCatalogue } from '../../journal/error-codes.ts';
import type { Journal } from '../../journal/events.ts';
import { type AcceptedSyntax, readAccept } from '../../wado/accept.ts';
import { createMultipartWriter, type MultipartWriter } from '../../wado/multipart-writer.ts';
import type { ArchivedManifest, ManifestLookup } from '../archive/manifest-lookup.ts';
import { bearerToken, type Objection, objectionToCaller, objectionToManifest } from './control-order.ts';
import { RetrieveRefusal, toRefusal } from './refusal.ts';
import { runLeg } from './retrieve-leg.ts';
import { createTally, type SeriesTally } from './series-tally.ts';

export interface SeriesDependencies {
  readonly manifests: ManifestLookup;
  readonly introspection: TokenIntrospection;
  readonly whitelist: { current(): { readonly list: Whitelist | undefined }; isOwnListed(wadoFqdn: string): boolean };
  readonly journal: Journal;
}

export interface SeriesRequest {
  readonly id: string;
  readonly study: string;
  readonly series: string;
  readonly link: { readonly client: Pacs; readonly config: PacsConfig };
  readonly caller: Caller;
  readonly remote: string;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
}

/** What is known so far, for the journal. */
interface Progress {
  professionalId: string;
  firstImageAt: number | undefined;
  tally: SeriesTally | undefined;
  readonly startedAt: number;
}

export async function answerSeries(request: SeriesRequest, deps: SeriesDependencies): Promise<void> {
  const progress: Progress = {
    professionalId: '',
    firstImageAt: undefined,
    tally: undefined,
    startedAt: performance.now(),
  };
  const writer = createMultipartWriter(request.response);
  deps.journal.record({ name: 'RetrieveStarted', ...about(request) });
  try {
    const { accepted, manifest } = await admit(request, deps, progress);
    const tally = tallyOf(request, manifest);
    progress.tally = tally;
    await retrieve(request, progress, writer, accepted, tally);
    await writer.end();
    recordCompleted(request, deps, progress, manifest, tally);
  } catch (error) {
    const refusal = toRefusal(error);
    if (writer.started) cut(request, deps, writer, refusal, progress);
    else refuse(request, deps, refusal, progress.professionalId);
  }
}

/** Steps 2 to 8 of the control order. @throws RetrieveRefusal */
async function admit(
  request: SeriesRequest,
  deps: SeriesDependencies,
  progress: Progress,
): Promise<{ accepted: readonly AcceptedSyntax[]; manifest: ArchivedManifest | undefined }> {
  assertCaller(request.caller, request.link.config, deps);
  const token = bearerToken(single(request.message, 'authorization'));
  if (typeof token !== 'string') throw refusalOf(token);
  const verdict = await deps.introspection.introspect(token);
  if (!verdict.active) throw new RetrieveRefusal('E1003', verdict.detail);
  progress.professionalId = verdict.professionalId;
  const study = uidOf(request.study, 'StudyInstanceUID');
  const reading = readAccept(request.message.headersDistinct['accept'] ?? []);
  // the performance exam skips the KOS checks, and nothing else (DB0 §4.5.11.3 note)
  const manifest = study === request.link.config.referenceStudyUid ? undefined : await manifestOf(request, deps, study);
  if (!reading.ok) throw new RetrieveRefusal('E1104', reading.detail, 406);
  return { accepted: reading.syntaxes, manifest };
}

/** Steps 2 and 3, also for the capabilities. @throws RetrieveRefusal */
export function assertCaller(caller: Caller, pacs: PacsConfig, deps: Pick<SeriesDependencies, 'whitelist'>): void {
  if (!caller.ok) throw new RetrieveRefusal('E1102', caller.detail);
  const { list } = deps.whitelist.current();
  const objection = objectionToCaller({
    ownListed: deps.whitelist.isOwnListed(pacs.wadoFqdn),
    peerListed: list !== undefined && isListed(list, caller.peer),
    peerName: `CN=${caller.peer.commonName}, OU=${caller.peer.organizationalUnit}`,
  });
  if (objection) throw refusalOf(objection);
}

async function manifestOf(
  request: SeriesRequest,
  deps: SeriesDependencies,
  study: Uid,
): Promise<ArchivedManifest | undefined> {
  const manifest = await deps.manifests.find(request.link.config.name, study);
  const objection = objectionToManifest({
    manifest,
    kosHeader: single(request.message, 'kos-sopinstanceuid'),
    series: request.series,
  });
  if (objection) throw refusalOf(objection);
  return manifest;
}

function tallyOf(request: SeriesRequest, manifest: ArchivedManifest | undefined): SeriesTally {
  return createTally(manifest?.series.get(uidOf(request.series, 'SeriesInstanceUID'))?.instances);
}

async function retrieve(
  request: SeriesRequest,
  progress: Progress,
  writer: MultipartWriter,
  accepted: readonly AcceptedSyntax[],
  tally: SeriesTally,
): Promise<void> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort(new RetrieveRefusal('E1104', 'the caller closed the connection', 499));
  request.response.once('close', onClose);
  try {
    await runLeg({
      pacs: request.link.client,
      study: uidOf(request.study, 'StudyInstanceUID'),
      series: uidOf(request.series, 'SeriesInstanceUID'),
      tally,
      accepted,
      writer,
      signal: gone.signal,
      onFirstImage: () => {
        progress.firstImageAt = performance.now();
      },
    });
  } catch (error) {
    throw gone.signal.aborted ? gone.signal.reason : error;
  } finally {
    request.response.off('close', onClose);
  }
}

function uidOf(text: string, name: string): Uid {
  return parseUid(text) ?? refuseUid(name);
}

function refuseUid(name: string): never {
  throw new RetrieveRefusal('E1001', `${name} of the path is not a UID`);
}

function refusalOf({ code, detail, httpStatus }: Objection): RetrieveRefusal {
  return new RetrieveRefusal(code, detail, httpStatus);
}

/** The one value of a header; sent twice, none counts. */
function single(message: IncomingMessage, name: string): string | undefined {
  const values = message.headersDistinct[name] ?? [];
  return values.length === 1 ? values[0] : undefined;
}

function about(request: SeriesRequest): {
  request: string;
  pacs: string;
  study: string;
  series: string;
  peer: string;
  remote: string;
} {
  const peer = request.caller.ok ? request.caller.peer.commonName : '';
  return {
    request: request.id,
    pacs: request.link.config.name,
    study: request.study,
    series: request.series,
    peer,
    remote: request.remote,
  };
}

function recordCompleted(
  request: SeriesRequest,
  deps: SeriesDependencies,
  progress: Progress,
  manifest: ArchivedManifest | undefined,
  tally: SeriesTally,
): void {
  const series =
    manifest && [...manifest.series.values()].find(({ seriesInstanceUid }) => seriesInstanceUid === request.series);
  const seconds = (until: number): number => (until - progress.startedAt) / 1000;
  deps.journal.record({
    name: 'RetrieveCompleted',
    ...about(request),
    professionalId: progress.professionalId,
    situation: single(request.message, 'situation') ?? '',
    structureId: manifest?.structureId ?? '',
    retrieveLocationUid: request.link.config.retrieveLocationUid,
    instances: tally.sent,
    bytes: tally.bytes,
    transferSyntaxes: { ...tally.transferSyntaxes },
    modality: series?.modality ?? '',
    firstImageSeconds: seconds(progress.firstImageAt ?? performance.now()),
    seconds: seconds(performance.now()),
  });
}

/** After the first byte only a broken stream tells the truth (ci-sis §7.6). */
function cut(
  request: SeriesRequest,
  deps: SeriesDependencies,
  writer: MultipartWriter,
  refusal: RetrieveRefusal,
  { tally }: Progress,
): void {
  writer.destroy();
  deps.journal.record({
    name: 'RetrieveAborted',
    ...about(request),
    code: refusal.code,
    instances: tally?.sent ?? 0,
    expected: tally?.expected ?? 0,
    detail: refusal.message,
  });
}

/** The caller learns the code and its generic label, never more (ci-sis §15). */
function refuse(
  request: SeriesRequest,
  deps: SeriesDependencies,
  refusal: RetrieveRefusal,
  professionalId: string,
): void {
  sendRefusal(request.response, refusal, refusal.httpStatus === 503 ? { 'retry-after': '5' } : {});
  deps.journal.record({
    name: 'RetrieveRefused',
    ...about(request),
    professionalId,
    situation: single(request.message, 'situation') ?? '',
    code: refusal.code,
    httpStatus: refusal.httpStatus,
    detail: refusal.message,
  });
}

export function sendRefusal(
  response: ServerResponse,
  refusal: RetrieveRefusal,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  const body = JSON.stringify({ code: refusal.code, message: errorCatalogue[refusal.code].label });
  response.writeHead(refusal.httpStatus, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body);
}
