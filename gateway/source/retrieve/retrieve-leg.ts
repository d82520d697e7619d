/**
 * From the PACS to the caller (architecture §3 "Images out"): an AE title is leased, the PACS is asked to move the series to it, and
 * each instance that arrives goes out as one part, bytes untouched. Not reading stops the PACS: memory is one PDU an association.
 *
 *     leased --C-MOVE--> moving --every instance of the KOS sent--> complete
 *                          |--C-MOVE ended, instances still on their way--> waiting --all sent--> complete
 *                          |--PACS error, caller gone, unacceptable form, silence--> broken
 */
import type { SeriesInstanceUid, StudyInstanceUid } from '../../domain.ts';
import type { AeLease, IncomingInstance, MoveOutcome, Pacs } from '../../dicom/pacs.ts';
import { part10Header } from '../../dicom/part10.ts';
import type { AcceptedSyntax } from '../../wado/accept.ts';
import { laneOf, wantedFromPacs } from '../../wado/lane.ts';
import type { MultipartWriter } from '../../wado/multipart-writer.ts';
import { RetrieveRefusal } from './refusal.ts';
import type { SeriesTally } from './series-tally.ts';

export interface LegRequest {
  readonly pacs: Pacs;
  readonly study: StudyInstanceUid;
  readonly series: SeriesInstanceUid;
  /** Counts what is sent; complete by the instances of the KOS. */
  readonly tally: SeriesTally;
  readonly accepted: readonly AcceptedSyntax[];
  readonly writer: MultipartWriter;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  /** Told once, when the first instance is on its way. */
  readonly onFirstImage: () => void;
}

/** After the C-MOVE ended, how long C-STOREs still on their way may take to show up. */
const lateStoresMs = 10_000;
/** The same when none came at all: the PACS most likely has nothing to send. */
const firstStoreMs = 2_000;

/** @throws RetrieveRefusal, PacsError or CallerGone; what was written before it makes no whole response. */
export async function runLeg(request: LegRequest): Promise<void> {
  const lease = await request.pacs.leaseAeTitle(request.signal);
  try {
    await moveTo(lease, request);
  } finally {
    lease.release();
  }
}

async function moveTo(lease: AeLease, request: LegRequest): Promise<void> {
  const { pacs, study, series, tally, signal } = request;
  // the first thing that breaks ends the whole leg: the PACS is told to stop, and no later part is written
  const broken = new AbortController();
  const fail = (error: unknown): void => {
    if (!broken.signal.aborted) broken.abort(error);
  };
  const either = AbortSignal.any([signal, broken.signal]);
  const arrivals = createArrivals(request, fail, either);
  lease.receive(arrivals.take, wantedFromPacs(request.accepted));
  let outcome: MoveOutcome;
  try {
    outcome = await pacs.moveSeries({ lease, study, series }, undefined, either);
  } catch (error) {
    await arrivals.idle();
    throw broken.signal.aborted ? reasonOf(broken.signal) : error;
  }
  await arrivals.settle(lateStoresMs, outcome);
  if (broken.signal.aborted) throw reasonOf(broken.signal);
  if (!tally.complete()) throw incomplete(tally, outcome);
}

function reasonOf(signal: AbortSignal): unknown {
  return signal.reason;
}

function incomplete(tally: SeriesTally, outcome: MoveOutcome): RetrieveRefusal {
  const counted = `${tally.sent} of ${tally.expected ?? 'at least one'} instances; the PACS says ${outcome.completed} done, ${outcome.failed} failed`;
  if (outcome.failed > 0)
    return new RetrieveRefusal(
      'E1004',
      `the PACS could not send every instance: ${counted}. ${outcome.comment}`.trim(),
    );
  // a PACS that moves less than the KOS lists no longer has the exam as published (step 10)
  return new RetrieveRefusal('E1002', `the PACS no longer has the series as published: ${counted}`);
}

interface Arrivals {
  readonly take: (instance: IncomingInstance) => Promise<void>;
  /** No instance is being handled. */
  idle(): Promise<void>;
  /** Waits until the series is complete, or nothing came for `quietMs`. */
  settle(quietMs: number, outcome: MoveOutcome): Promise<void>;
}

/** Instances of several associations come side by side and leave one after the other. */
function createArrivals(request: LegRequest, fail: (error: unknown) => void, signal: AbortSignal): Arrivals {
  const { tally } = request;
  const state = { last: Promise.resolve(), pending: 0, changed: (): void => undefined };

  const send = async (instance: IncomingInstance): Promise<void> => {
    if (signal.aborted) throw reasonOf(signal);
    if (laneOf(instance, request.accepted) !== 'fast') {
      throw new RetrieveRefusal(
        'E1104',
        `instance stored as ${instance.transferSyntaxUid}, which the caller does not accept and the PACS did not convert`,
        406,
      );
    }
    const head = part10Header({ ...instance, sourceAeTitle: instance.callingAeTitle });
    if (!request.writer.started) request.onFirstImage();
    const bytes = await request.writer.part(instance.transferSyntaxUid, head, instance.data);
    tally.done(instance.transferSyntaxUid, bytes);
  };

  const inTurn = async (instance: IncomingInstance): Promise<void> => {
    const before = state.last;
    const turn = before.then(() => send(instance));
    state.last = turn.catch(() => undefined); // the failure is this instance's own, told to `fail`
    await turn;
  };

  return {
    async take(instance) {
      if (!tally.claim(instance.sopInstanceUid)) {
        for await (const chunk of instance.data) void chunk; // not of the KOS, or sent already: taken and dropped
        return;
      }
      state.pending += 1;
      try {
        await inTurn(instance);
      } catch (error) {
        fail(error);
        throw error;
      } finally {
        state.pending -= 1;
        state.changed();
      }
    },
    idle: () => state.last,
    async settle(quietMs, outcome) {
      const missing = (): boolean => !tally.complete() && !signal.aborted;
      // what the PACS itself says it did not send will not come: no need to wait for it; counts are optional (PS3.7 §9.1.4.1.8)
      const told = outcome.completed + outcome.warning;
      const hopeless = (): boolean =>
        tally.expected !== undefined &&
        (told > 0 || outcome.failed > 0) &&
        told < tally.expected &&
        state.pending === 0;
      const nothingCame = tally.sent + tally.unlisted + state.pending === 0;
      while (missing() && !hopeless()) {
        const seen = tally.sent + tally.unlisted;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, nothingCame ? Math.min(quietMs, firstStoreMs) : quietMs);
          state.changed = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        if (tally.sent + tally.unlisted === seen && state.pending === 0) return;
      }
      await state.last;
    },
  };
}
