/** A PACS link at work: C-ECHO, C-FIND and C-MOVE on one side, the AE titles its C-STOREs come back to on the other. */
import type { PacsConfig } from '../../common/contract/gateway-config.ts';
import { type AeTitle, parseAeTitle } from '../domain.ts';
import type { Journal } from '../journal/events.ts';
import { AeTitlePool } from './ae-title-pool.ts';
import { commandField, status } from './dimse/command.ts';
import { CurrentLink } from './dimse/current-link.ts';
import type { Requestor } from './dimse/requestor.ts';
import { moveSeries } from './move-series.ts';
import { type AeLease, type FoundStudy, type Pacs, PacsError } from './pacs.ts';
import { findOn, relationalIsAgreed, relationalProposal } from './query/find-on.ts';
import { findStudy } from './query/find-study.ts';
import type { ReceivingSlot } from './store/slot.ts';
import type { StoreReceiver } from './store/store-receiver.ts';
import { studyRootFind, studyRootMove, verification } from './uids.ts';

export interface PacsDependencies {
  readonly receiver: StoreReceiver;
  readonly journal: Journal;
  /** Monotonic milliseconds, e.g. `performance.now`. */
  readonly clock: () => number;
}

/** How long an AE title rests when its C-MOVE did not end by itself: time for the PACS to notice. */
const restMs = 3_000;

/** A lease and what is behind it. */
interface Held {
  readonly slot: ReceivingSlot;
  /** A C-MOVE-RQ was sent and no final response came. */
  moving: boolean;
}

/** A link that follows its configuration as far as {@link canFollow}. */
export interface FollowingPacs extends Pacs {
  /** From the next operation on; what is under way ends as it began. */
  follow(next: PacsConfig): void;
}

/** The titles that images come back to are claimed for the life of a link; everything else may change while it works. */
export function canFollow(now: PacsConfig, next: PacsConfig): boolean {
  return (
    now.name === next.name &&
    now.callingAeTitle === next.callingAeTitle &&
    now.maxConcurrentMoves === next.maxConcurrentMoves &&
    now.aeTitlePool.join() === next.aeTitlePool.join()
  );
}

/** @throws Error when an AE title is not valid or another link already has it in its pool */
export function createPacs(initial: PacsConfig, deps: PacsDependencies): FollowingPacs {
  let config = initial;
  const { receiver, journal, clock } = deps;
  const titles = config.aeTitlePool.map((title) => aeTitle(title, `pacs ${config.name} aeTitlePool`));
  const calling = aeTitle(config.callingAeTitle, `pacs ${config.name} callingAeTitle`);
  const unclaim = receiver.claim(config.name, titles, [calling]);
  const pool = new AeTitlePool(titles, config.maxConcurrentMoves);
  const held = new Map<AeLease, Held>();
  let closed = false;
  const link = new CurrentLink(config, calling, receiver.quickAck, clock);

  async function find(study: Parameters<Pacs['findStudy']>[0], signal: AbortSignal | undefined) {
    const extended = config.relationalQueries === 'never' ? undefined : [relationalProposal];
    return await link.use(studyRootFind, extended, signal, async (requestor, context) => {
      const relational = config.relationalQueries === 'always' || relationalIsAgreed(requestor);
      return await findStudy(findOn(requestor, context, signal), study, relational);
    });
  }

  return {
    name: config.name,

    async echo(signal) {
      const started = clock();
      try {
        await link.use(
          verification,
          undefined,
          signal,
          async (requestor, context) => await echo(requestor, context.id, signal),
        );
      } catch (error) {
        journal.record({
          name: 'PacsEchoed',
          pacs: config.name,
          up: false,
          detail: text(error),
          seconds: since(started),
        });
        throw error;
      }
      journal.record({ name: 'PacsEchoed', pacs: config.name, up: true, detail: '', seconds: since(started) });
      return clock() - started;
    },

    async findStudy(study, signal) {
      const started = clock();
      let found: FoundStudy | undefined;
      try {
        found = await find(study, signal);
      } catch (error) {
        const kind = error instanceof PacsError ? error.kind : 'protocol';
        journal.record({ name: 'PacsQueryFailed', pacs: config.name, study, kind, detail: text(error) });
        throw error;
      }
      const query = found?.query ?? 'not found';
      const instances = found?.instances.length ?? 0;
      journal.record({ name: 'PacsQueried', pacs: config.name, study, instances, query, seconds: since(started) });
      return found;
    },

    async leaseAeTitle(signal) {
      return openLease(await pool.acquire(signal));
    },

    async moveSeries({ lease, study, series }, onProgress, signal) {
      const state = held.get(lease);
      if (state === undefined) throw new Error(`lease of ${lease.aeTitle} was released, or is not of ${config.name}`);
      const started = clock();
      try {
        const outcome = await link.use(studyRootMove, undefined, signal, async (requestor, context) => {
          state.moving = true;
          const messageId = receiver.newMoveMessageId(state.slot);
          const lastActivity = (): number => state.slot.lastActivity();
          const move = { context, messageId, destination: lease.aeTitle, study, series, lastActivity };
          return await moveSeries(requestor, move, () => (state.moving = false), onProgress, signal);
        });
        const { status: code, completed, failed } = outcome;
        const ended = { study, series, status: code, completed, failed, seconds: since(started) };
        journal.record({ name: 'MoveCompleted', pacs: config.name, ...ended });
        return outcome;
      } catch (error) {
        const kind = error instanceof PacsError ? error.kind : 'protocol';
        journal.record({ name: 'MoveFailed', pacs: config.name, study, series, kind, detail: text(error) });
        throw error;
      }
    },

    follow(next) {
      config = next;
      link.follow(next);
    },

    async close() {
      if (closed) return;
      closed = true;
      pool.close();
      link.close();
      for (const lease of held.keys()) lease.release();
      unclaim();
    },
  };

  function openLease(title: AeTitle): AeLease {
    const slot = receiver.open(title, config.name);
    const lease: AeLease = {
      aeTitle: title,
      receive: (handler, accept) => slot.receive(handler, accept),
      release() {
        const state = held.get(lease);
        held.delete(lease);
        slot.close();
        pool.release(title, state?.moving === true ? restMs : 0);
      },
    };
    held.set(lease, { slot, moving: false });
    return lease;
  }

  function since(started: number): number {
    return (clock() - started) / 1000;
  }
}

async function echo(requestor: Requestor, contextId: number, signal: AbortSignal | undefined): Promise<void> {
  const messageId = requestor.newMessageId();
  const command = { field: commandField.echoRequest, affectedSopClass: verification, messageId, hasDataSet: false };
  for await (const response of requestor.request(contextId, command, undefined, { signal })) {
    const code = response.command.status;
    if (code !== status.success)
      throw new PacsError('failure', `C-ECHO was answered with status 0x${code?.toString(16) ?? '?'}`, code);
  }
}

function aeTitle(text: string, where: string): AeTitle {
  const title = parseAeTitle(text);
  if (title === undefined)
    throw new Error(`${where}: "${text}" is not an AE title (PS3.5 §6.2): 1–16 characters, no backslash`);
  return title;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
