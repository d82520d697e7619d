/** The ingress control in motion: what is wanted is sifted, published, and kept or taken back by what the proxies say. */
import type { IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import { inSlices, ownTurn } from '../turns.ts';
import { amend } from './amend.ts';
import { encoder } from './control-plane/encode.ts';
import { loadProtos } from './control-plane/protos.ts';
import { type ControlPlane, startControlPlane } from './control-plane/server.ts';
import { snapshots } from './control-plane/snapshots.ts';
import type { IngressControl, IngressControlOptions } from './ingress-control.ts';
import { observeIngress, saysTheSame } from './observe.ts';
import { binaryJudge, refusedBy, without } from './preflight.ts';
import {
  type Quarantine,
  current,
  emptyQuarantine,
  passed,
  propose,
  refused,
  restored,
  retried,
} from './quarantine.ts';

type Change = (from: Quarantine) => Quarantine | Promise<Quarantine>;

/** @throws Error when the endpoint can't be opened */
export async function startIngressControl(options: IngressControlOptions): Promise<IngressControl> {
  const root = await loadProtos();
  // In a cluster the log collector has it as well: nobody reads a pod's files.
  const listen = { ...('host' in options.endpoint && { failures: 'stream and stdout' as const }), ...options.listen };
  const snapshotOf = snapshots(root, encoder(root), listen);
  let plan: IngressPlan | undefined;
  let state: Quarantine = options.accepted === undefined ? emptyQuarantine : restored(options.accepted);
  const held = { get: () => state, set: (next: Quarantine) => void (state = next) };
  let fault: string | undefined;
  let said: ReadonlyMap<string, IngressObservation> | undefined;
  // Counted, for encoding takes turns with others: what proxies say meanwhile is of a snapshot that is about to be replaced, and
  // is said again of the next one.
  const edition = { wanted: 0, published: 0, stopped: false, version: '' };
  const isCurrent = (): boolean => edition.published === edition.wanted;
  let publishing: Promise<void> | undefined;

  const observe = (): ReadonlyMap<string, IngressObservation> =>
    observeIngress({ plan, state, fault, proxies: controlPlane.proxies() });
  /** Thousands of links are looked at. */
  const tell = oncePerTurn(() => {
    const seen = observe();
    if (edition.stopped || (said !== undefined && saysTheSame(seen, said))) return;
    said = seen;
    options.onChange();
  });
  const acceptance = tellingAccepted(options);
  const publishAll = async (): Promise<void> => {
    while (!isCurrent() && !edition.stopped) {
      const { wanted } = edition;
      await ownTurn();
      const now = await inSlices(current(state));
      const snapshot = now && (await snapshotOf(now));
      await ownTurn();
      if (edition.wanted !== wanted) continue;
      edition.published = wanted;
      if (snapshot !== undefined && !edition.stopped) await controlPlane.publish(snapshot, edition.version);
    }
    tell();
  };
  /** A plan that can't be encoded would have failed the `apply` that brought it; said rather than lost. */
  const lost = (error: unknown): void => options.onEvent('the plan could not be published', { error: String(error) });
  const publish = async (): Promise<void> => {
    edition.wanted += 1;
    do {
      publishing ??= publishAll().finally(() => (publishing = undefined));
      await publishing;
    } while (!isCurrent() && !edition.stopped);
  };
  /** Nobody waits for it. */
  const publishLater = (): void => {
    publish().catch(lost);
  };

  const controlPlane: ControlPlane = await startControlPlane(options.endpoint, root, {
    onRefused(refusal) {
      options.onEvent('the proxy refused', { ...refusal });
      if (!isCurrent()) return;
      const after = refused(state, refusal);
      if (after === state) {
        // Nothing is on trial: what was good before is no longer taken, e.g. the port after a restart.
        fault = refusal.message;
        tell();
        return;
      }
      state = after;
      publishLater();
    },
    onSettled() {
      if (!isCurrent()) return;
      fault = undefined;
      const more = state.trial.length + state.queue.length > 0;
      state = passed(state);
      acceptance.tell(state);
      if (more) publishLater();
      else tell();
    },
    onProxies() {
      options.onEvent('proxies connected', { count: controlPlane.proxies().connected });
      tell();
    },
    onConnectionFailure: (failure) =>
      options.onConnectionFailure(
        failure,
        plan?.hosts.find(({ fqdn }) => fqdn === failure.serverName),
      ),
    onTurnedAway: (why, peer) => options.onEvent('a connection to the control plane was turned away', { why, peer }),
  });

  const { preflight } = options;
  const judge = preflight && binaryJudge(preflight.binary, preflight.folder, listen);
  const admit = async (change: Change, version?: string): Promise<void> => {
    const rejected = judge && (await refusedBy(judge, await change(state), options.onEvent));
    await amend(held, async (from) => {
      const changed = await change(from);
      return rejected === undefined ? changed : without(changed, rejected);
    });
    edition.version = version ?? edition.version;
    await publish();
  };
  let work = Promise.resolve();
  const inTurn = async (change: Change, version?: string): Promise<void> => {
    const turn = work.then(async () => await admit(change, version));
    work = turn.catch(() => undefined); // told to whoever asked for it
    await turn;
  };
  const timer = setInterval(() => {
    if (fault === undefined && state.rejected.size === 0) return;
    controlPlane.forgive();
    inTurn(retried).catch(lost);
  }, options.retryMs ?? 60_000);

  return {
    async apply(next, version = '') {
      plan = next;
      await inTurn(async (from) => await inSlices(propose(from, next)), version);
    },
    observe,
    proxies: () => controlPlane.proxies(),
    port: controlPlane.port,
    replaceTls: (tls) => controlPlane.replaceTls(tls),
    async stop() {
      clearInterval(timer);
      edition.stopped = true;
      controlPlane.close();
      await work;
      await acceptance.told();
    },
  };
}

/** Tells what all proxies took, each time it is something else. */
function tellingAccepted({ onAccepted, onEvent }: Pick<IngressControlOptions, 'onAccepted' | 'onEvent'>): {
  tell(state: Quarantine): void;
  /** Settles when all of it is told. */
  told(): Promise<void>;
} {
  let last: Quarantine['accepted'] | undefined;
  let telling = Promise.resolve();
  return {
    tell(state) {
      if (onAccepted === undefined || state.accepted === last) return;
      last = state.accepted;
      const tellIt = async (): Promise<void> => {
        if (state.accepted !== last) return; // a later one waits
        const plan = await inSlices(current({ ...state, trial: [] }));
        if (plan !== undefined) await onAccepted(plan);
      };
      telling = telling.then(tellIt).catch((error: unknown) => {
        last = undefined; // again when the proxies have spoken again
        onEvent('what the proxies accepted could not be kept', { error: String(error) });
      });
    },
    told: async () => await telling,
  };
}

/** However often it is asked for until its turn has come, it is done once. */
function oncePerTurn(work: () => void): () => void {
  let asked = false;
  const inItsTurn = async (): Promise<void> => {
    await ownTurn();
    asked = false;
    work();
  };
  return () => {
    if (asked) return;
    asked = true;
    void inItsTurn();
  };
}
