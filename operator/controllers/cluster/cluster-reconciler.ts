/**
 * The loop of a cluster: look at everything, plan, publish to the proxies, and put what differs into the queue. Every replica looks,
 * plans and publishes, so that proxies find the same on each of them; only the leader writes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DrimboxSite } from '../../api/types.generated.ts';
import type { OperatorJournal } from '../../observability/journal.ts';
import { changesBetween } from '../../observability/status-changes.ts';
import type { IngressPlan } from '../../plan/ingress-plan.ts';
import type { Observations } from '../../plan/observations.ts';
import { type Plan, isPaused, planSteps } from '../../plan/plan.ts';
import type { RoundTrace, Tracing } from '../../observability/tracing.ts';
import { createPatience } from '../../plan/patience.ts';
import { createMemory } from '../../plan/remembered.ts';
import type { ResourceStatus } from '../../plan/status.ts';
import { keyOf } from '../../resources/inventory.ts';
import type { Priority } from '../../resources/kubernetes/work-queue.ts';
import { makeRequest } from '../../trust/certificate-request.ts';
import { lookAgain } from '../look-again.ts';
import { type ClusterCertificates, requestedKinds } from './certificate-secrets.ts';
import type { ClusterDocuments } from './cluster-documents.ts';
import type { InternalOutcome } from './internal-identities.ts';
import { createJudge } from './judge.ts';
import type { Observed, Observer } from './observe.ts';
import { breathe, inSlices } from '../../turns.ts';
import type { ClusterSettings } from './settings.ts';
import { type PlanShelf, type RememberedPlan, planBefore } from './site-memory.ts';
import type { Watches } from './watches.ts';
import { type Desired, createWishes } from './wishes.ts';
import type { Writer } from './writer.ts';

export interface ClusterReconcilerOptions {
  readonly settings: ClusterSettings;
  readonly watches: Watches;
  /** From before this process. */
  readonly plans: PlanShelf;
  readonly observer: Observer;
  readonly certificates: ClusterCertificates;
  readonly documents: ClusterDocuments;
  readonly desired: Desired;
  readonly writer: Pick<Writer, 'add'>;
  readonly isLeader: () => boolean;
  /** Publishes to the proxies; settles when it is published. */
  readonly publish: (plan: IngressPlan, internal: InternalOutcome, version: string) => Promise<void>;
  /** What proxies say of what is published. */
  readonly ingress: () => Observations['ingress'];
  readonly tracing: Tracing;
  /** Told under which id the round runs that begins; undefined when it is over. */
  readonly onRound: (id: string | undefined) => void;
  readonly journal: OperatorJournal;
  readonly onStatus: (resources: readonly ResourceStatus[], error?: string) => void;
  readonly now: () => Date;
}

export interface ClusterReconciler {
  /** Asks for a round soon. */
  trigger(): void;
  /** Looks at everything again, also at what did not change: drift is put right. */
  resync(): void;
  stop(): Promise<void>;
}

/** Changes come in bursts: what comes within this is one round. */
const gatherMs = 30;
const longestGatherMs = 1_000;

/**
 * Ms to wait before a round, from what the last one took: while a thousand sites arrive each round is long, and half the time is left
 * to the writing. One that changes little is over in milliseconds, and so is the wait for the next.
 */
export function gatherAfter(lastRoundMs: number): number {
  return Math.min(longestGatherMs, Math.max(gatherMs, lastRoundMs / 2));
}

/** Within this every gateway was asked, and proxies that lost the operator before have connected again. */
const freshMs = 12_000;

/** Longest wait between two rounds: ages and ends move by themselves. */
const periodMs = 15_000;

export function startClusterReconciler(options: ClusterReconcilerOptions): ClusterReconciler {
  const { journal, watches, desired, writer } = options;
  const bornAt = performance.now();
  const planMemory = createMemory();
  const state = { stopped: false, wanted: true, resync: false, again: false, led: false };
  let wake: () => void = () => undefined;
  let before: Plan | undefined;
  let resources: readonly ResourceStatus[] = [];

  const enqueue = (key: string, priority: Priority, again: Priority = 'resync'): void => {
    if (options.isLeader() && (priority !== 'resync' || state.again))
      writer.add(key, priority === 'resync' ? again : priority);
  };

  // Whatever ends the waiting asks for a round, too; what came between two looks at the proxies may have asked for none.
  const again = lookAgain(() => trigger());

  const wish = createWishes({ ...options, namespace: options.settings.namespace, enqueue });

  const judge = createJudge({
    watches,
    statuses: desired.statuses,
    onDiffering: (key, priority) => enqueue(`status ${key}`, priority),
    patience: createPatience(() => performance.now()),
    onWaiting: (leftMs) => again.within(leftMs),
    isFresh: () => performance.now() - bornAt < freshMs,
  });

  const round = async (trace: RoundTrace): Promise<'applied' | 'unchanged'> => {
    await askForCertificates(options);
    const observed = await trace.step('observe', async () => await options.observer.look());
    if (observed === undefined) return 'unchanged';
    before ??= firstPlan(options, observed);
    const former = before;
    const planning = await trace.step('plan', async () => await inSlices(planSteps(observed.seen, former, planMemory)));
    await trace.step('publish', async () => await options.publish(planning.plan.ingress, observed.internal, trace.id));
    const news = await trace.step('wish', async () => await wish(observed, planning));
    before = planning.plan;
    planMemory.sweep();
    const said = resources;
    // Asked now: what proxies said before this plan was published they said of another one.
    const seen = { ...observed.seen, ingress: options.ingress(), unwritten: desired.unwritten };
    resources = await trace.step('judge', async () => await judge(seen, planning));
    for (const event of changesBetween(said, resources)) {
      journal.record(event);
      await breathe();
    }
    return news ? 'applied' : 'unchanged';
  };

  const run = async (): Promise<void> => {
    await watches.synced;
    let lastMs = 0;
    while (!state.stopped) {
      if (!state.wanted) {
        const timer = sleep(periodMs, undefined, { ref: false });
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), timer]);
      }
      if (state.stopped) return;
      await sleep(gatherAfter(lastMs));
      state.wanted = false;
      // Who comes to lead looks at everything: the former leader may have left something undone. What changes now goes before it.
      const leads = options.isLeader();
      state.again ||= state.resync || (leads && !state.led);
      state.resync = false;
      state.led = leads;
      const startedAt = performance.now();
      const seconds = (): number => (performance.now() - startedAt) / 1000;
      const trace = options.tracing.round();
      options.onRound(trace.id);
      try {
        const result = await round(trace);
        trace.end(result);
        state.again = false;
        journal.record({ name: 'RoundEnded', result, seconds: seconds() });
        options.onStatus(resources);
      } catch (error) {
        // Everything stays as it was; the next round tries again.
        const message = error instanceof Error ? error.message : String(error);
        const detail = error instanceof Error ? (error.stack ?? message) : message;
        trace.end('failed', message);
        journal.record({ name: 'RoundFailed', error: message, detail, seconds: seconds() });
        options.onStatus(resources, message);
        await sleep(1_000);
        state.wanted = true;
      }
      options.onRound(undefined);
      lastMs = seconds() * 1000;
    }
  };
  const trigger = (): void => {
    state.wanted = true;
    wake();
  };
  const running = run();
  return {
    trigger,
    resync() {
      state.resync = true;
      trigger();
    },
    async stop() {
      state.stopped = true;
      wake();
      await running;
      again.stop();
    },
  };
}

/** A person asked by annotation: the key is made here, once. */
async function askForCertificates({ watches, certificates, isLeader, now }: ClusterReconcilerOptions): Promise<void> {
  if (!isLeader()) return;
  const sites = new Map<string, DrimboxSite>(watches.sites.store.list().map((site) => [keyOf(site), site]));
  for (const link of watches.links.store.list())
    for (const kind of requestedKinds(link)) {
      const site = sites.get(`${link.metadata.namespace}/${link.spec.site}`);
      const key = keyOf(link);
      if (site === undefined || isPaused(site) || certificates.pending(key, kind) !== undefined) continue;
      if (certificates.accepted(key, kind) !== undefined) continue;
      const { structure } = site.spec;
      const subject = { fqdn: link.spec[kind].fqdn, organisation: structure.name, structureId: structure.id };
      certificates.keep(key, kind, await makeRequest(subject, now()));
    }
}

/** What the former leader planned: kept for sites that can't be planned now. */
function firstPlan({ watches, plans }: ClusterReconcilerOptions, { seen, internal }: Observed): Plan {
  const remembered = new Map<string, RememberedPlan>();
  for (const site of seen.inventory.sites) {
    const [memory] = watches.memories.store.by('site', keyOf(site));
    const plan = memory === undefined ? undefined : plans.planOf(keyOf(memory));
    if (plan !== undefined) remembered.set(keyOf(site), plan);
  }
  plans.clear();
  const { caPem, ingress } = internal.identities;
  return planBefore(remembered, [], { ...ingress, caPem });
}
