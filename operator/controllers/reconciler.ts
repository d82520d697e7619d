/**
 * The loop: gather, plan, apply, tell. One round at a time; what happens meanwhile leads to one more round. A round that fails
 * leaves everything as it was and is tried again.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type HostOptions, applyPlan } from '../infrastructure/host/apply.ts';
import { writeFileAtomically } from '../infrastructure/host/files.ts';
import type { OperatorJournal } from '../observability/journal.ts';
import { changesBetween } from '../observability/status-changes.ts';
import { type Patience, createPatience } from '../plan/patience.ts';
import { type Plan, makePlan } from '../plan/plan.ts';
import { type ResourceStatus, makeStatus, statusKey } from '../plan/status.ts';
import { type FileFault, writeFault } from '../resources/directory/accept.ts';
import type { DirectorySource, Snapshot } from '../resources/directory/source.ts';
import { type GatherOptions, gather } from './gather.ts';
import { lookAgain } from './look-again.ts';
import { type StatusDocument, readStatus } from './status-document.ts';

export interface ReconcilerOptions {
  readonly source: Pick<DirectorySource, 'read'>;
  readonly gather: GatherOptions;
  readonly host: HostOptions;
  readonly journal: OperatorJournal;
  /** Told after each round. */
  readonly onStatus: (status: StatusDocument) => void;
  /** Between two looks at the gateways, ms. */
  readonly periodMs: number;
}

export interface Reconciler {
  /** Asks for a round soon. */
  trigger(): void;
  /** No round begins any more; settles when the one under way is over. */
  stop(): Promise<void>;
}

export function startReconciler(options: ReconcilerOptions): Reconciler {
  const { statusFile, planFile } = options.host.state;
  const { journal } = options;
  let snapshot: Snapshot | undefined;
  let plan: Plan | undefined = existsSync(planFile) ? (JSON.parse(readFileSync(planFile, 'utf8')) as Plan) : undefined;
  let applied = false;
  let resources: readonly ResourceStatus[] = readStatus(statusFile)?.resources ?? [];
  let said: readonly FileFault[] = [];
  let wanted = true;
  const state = { stopped: false };
  const patience = createPatience(() => performance.now());
  const again = lookAgain(() => trigger());
  let running: Promise<void> | undefined;

  const round = async (): Promise<'applied' | 'unchanged'> => {
    snapshot = options.source.read();
    said = sayFaults(snapshot.faults, said, journal);
    const seen = await gather(snapshot.inventory, options.gather);
    const planning = makePlan(seen, plan);
    const news = !applied || JSON.stringify(planning.plan) !== JSON.stringify(plan);
    if (news) {
      await applyPlan(planning.plan, plan, options.host);
      plan = planning.plan;
      applied = true;
      journal.record({ name: 'PlanApplied', sites: plan.gateways.length, fqdns: plan.ingress.hosts.length });
      wanted = true; // look at what came of it
    }
    const before = resources;
    // Asked now: what the proxy said before this plan was applied it said of another one.
    resources = kept(
      before,
      makeStatus({ ...seen, ingress: options.host.ingress.observe() }, planning, before),
      patience,
    );
    const left = patience.endRound();
    if (left !== undefined) again.within(left);
    for (const event of changesBetween(before, resources)) journal.record(event);
    return news ? 'applied' : 'unchanged';
  };

  const tell = (error?: string): void => {
    const { supervisor } = options.host;
    const document: StatusDocument = {
      apiVersion: 'status.drimbox.dev/v1alpha1',
      writtenAt: options.gather.now().toISOString(),
      operatorPid: process.pid,
      resources,
      faults: snapshot?.faults ?? [],
      processes: supervisor.names().map((name) => {
        const { running = false, restarts = 0, pid } = supervisor.state(name) ?? {};
        return { name, running, restarts, ...(pid === undefined ? {} : { pid }) };
      }),
      events: journal.events(),
      ...(error === undefined ? {} : { error }),
    };
    writeFileAtomically(statusFile, `${JSON.stringify(document, undefined, 2)}\n`);
    options.onStatus(document);
  };

  const run = async (): Promise<void> => {
    while (wanted && !state.stopped) {
      wanted = false;
      const begun = options.gather.now().getTime();
      const seconds = (): number => Math.max(0, options.gather.now().getTime() - begun) / 1000; // a clock may be set back
      try {
        const result = await round();
        journal.record({ name: 'RoundEnded', result, seconds: seconds() });
        tell();
      } catch (error) {
        // Everything stays as it was; the next period tries again.
        const message = error instanceof Error ? error.message : String(error);
        const detail = error instanceof Error ? (error.stack ?? message) : message;
        journal.record({ name: 'RoundFailed', error: message, detail, seconds: seconds() });
        tell(message);
      }
    }
    running = undefined;
  };

  const trigger = (): void => {
    wanted = true;
    if (!state.stopped) running ??= run();
  };
  const timer = setInterval(trigger, options.periodMs);
  trigger();
  return {
    trigger,
    async stop() {
      state.stopped = true;
      clearInterval(timer);
      await running;
      again.stop();
    },
  };
}

/** What waits for the proxy stays said as it was. */
function kept(
  before: readonly ResourceStatus[],
  now: readonly ResourceStatus[],
  patience: Patience,
): readonly ResourceStatus[] {
  const formers = new Map(before.map((former) => [statusKey(former.kind, former.key), former]));
  return now.map((status) => {
    const key = statusKey(status.kind, status.key);
    const former = formers.get(key);
    const waits = patience.waits(key, former, status);
    return waits && former !== undefined ? { ...former, generation: status.generation } : status;
  });
}

/** Each fault once, not every round. */
function sayFaults(
  faults: readonly FileFault[],
  said: readonly FileFault[],
  journal: OperatorJournal,
): readonly FileFault[] {
  const known = new Set(said.map(writeFault));
  for (const fault of faults) if (!known.has(writeFault(fault))) journal.record({ name: 'FileRefused', ...fault });
  return faults;
}
