/** A PACS link at work: C-ECHO, C-FIND and C-MOVE on one side, the AE titles its C-STOREs come back to on the other. */
import type { PacsConfig } from '../../common/contract/gateway-config.ts';
import { type AeTitle, parseAeTitle } from '../domain.ts';
import type { Journal } from '../journal/events.ts';
import { AeTitlePool } from './ae-title-pool.ts';
import { commandField, status } from './dimse/command.ts';
import { Requestor, type RequestorOptions } from './dimse/requestor.ts';
import { moveSeries } from './move-series.ts';
import { type AeLease, type FoundStudy, type Pacs, PacsError } from './pacs.ts';
import { findOn, relationalIsAgreed, relationalProposal } from './query/find-on.ts';
import { findStudy } from './query/find-study.ts';
import type { ReceivingSlot } from './store/slot.ts';
import type { StoreReceiver } from './store/store-receiver.ts';
import { explicitVrLittleEndian, implicitVrLittleEndian, studyRootFind, studyRootMove, verification } from './uids.ts';

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

/** @throws Error when an AE title is not valid or another link already has it in its pool */
export function createPacs(config: PacsConfig, deps: PacsDependencies): Pacs {
  const { receiver, journal, clock } = deps;
  const titles = config.aeTitlePool.map((title) => aeTitle(title, `pacs ${config.name} aeTitlePool`));
  const calling = aeTitle(config.callingAeTitle, `pacs ${config.name} callingAeTitle`);
  const unclaim = receiver.claim(config.name, titles, [calling]);
  const pool = new AeTitlePool(titles, config.maxConcurrentMoves);
  const held = new Map<AeLease, Held>();
  const requestors = new Set<Requestor>();

  /** Opens an association for `use`, and ends it in order or by A-ABORT. */
  async function withAssociation<T>(
    abstractSyntax: string,
    extended: RequestorOptions['extended'],
    signal: AbortSignal | undefined,
    use: (requestor: Requestor, context: { readonly id: number; readonly explicit: boolean }) => Promise<T>,
  ): Promise<T> {
    const requestor = await Requestor.open(
      {
        host: config.host,
        port: config.port,
        callingAeTitle: calling,
        calledAeTitle: config.aeTitle,
        contexts: [{ abstractSyntax, transferSyntaxes: [explicitVrLittleEndian, implicitVrLittleEndian] }],
        ...(extended === undefined ? {} : { extended }),
        connectTimeoutMs: config.connectTimeoutMs,
        responseTimeoutMs: config.responseTimeoutMs,
        quickAck: receiver.quickAck,
        clock,
      },
      signal,
    );
    requestors.add(requestor);
    try {
      const context = requestor.context(abstractSyntax);
      if (context === undefined)
        throw new PacsError(
          'rejected',
          `${config.name} does not offer ${abstractSyntax} to ${calling}: allow it there`,
        );
      const result = await use(requestor, {
        id: context.id,
        explicit: context.transferSyntax === explicitVrLittleEndian,
      });
      // The result is there; the peer's A-RELEASE-RP is not worth waiting for.
      void requestor.release().then(() => requestors.delete(requestor));
      return result;
    } catch (error) {
      requestor.abort('the operation failed');
      requestors.delete(requestor);
      throw error;
    }
  }

  async function find(study: Parameters<Pacs['findStudy']>[0], signal: AbortSignal | undefined) {
    const extended = config.relationalQueries === 'never' ? undefined : [relationalProposal];
    return await withAssociation(studyRootFind, extended, signal, async (requestor, context) => {
      const relational = config.relationalQueries === 'always' || relationalIsAgreed(requestor);
      return await findStudy(findOn(requestor, context, signal), study, relational);
    });
  }

  return {
    name: config.name,

    async echo(signal) {
      const started = clock();
      try {
        await withAssociation(verification, undefined, signal, async (requestor, context) => {
          const messageId = requestor.newMessageId();
          const command = {
            field: commandField.echoRequest,
            affectedSopClass: verification,
            messageId,
            hasDataSet: false,
          };
          for await (const response of requestor.request(context.id, command, undefined, { signal })) {
            const code = response.command.status ?? 0xffff;
            if (code !== status.success) throw new PacsError('failure', `C-ECHO answered 0x${code.toString(16)}`, code);
          }
        });
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
      const title = await pool.acquire(signal);
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
    },

    async moveSeries({ lease, study, series }, onProgress, signal) {
      const state = held.get(lease);
      if (state === undefined) throw new Error(`lease of ${lease.aeTitle} was released, or is not of ${config.name}`);
      const started = clock();
      try {
        const outcome = await withAssociation(studyRootMove, undefined, signal, async (requestor, context) => {
          state.moving = true;
          const messageId = receiver.newMoveMessageId(state.slot);
          const lastActivity = (): number => state.slot.lastActivity();
          const move = { context, messageId, destination: lease.aeTitle, study, series, lastActivity };
          return await moveSeries(requestor, move, () => (state.moving = false), onProgress, signal);
        });
        const { completed, failed } = outcome;
        const seconds = since(started);
        journal.record({
          name: 'MoveCompleted',
          pacs: config.name,
          study,
          series,
          status: outcome.status,
          completed,
          failed,
          seconds,
        });
        return outcome;
      } catch (error) {
        const kind = error instanceof PacsError ? error.kind : 'protocol';
        journal.record({ name: 'MoveFailed', pacs: config.name, study, series, kind, detail: text(error) });
        throw error;
      }
    },

    async close() {
      pool.close();
      for (const requestor of requestors) requestor.abort('the gateway is stopping');
      requestors.clear();
      for (const lease of held.keys()) lease.release();
      unclaim();
    },
  };

  function since(started: number): number {
    return (clock() - started) / 1000;
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
