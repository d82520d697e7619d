/** The operator on a cluster: watches in, objects, statuses and the proxies' configuration out. */
import type { Log } from '../common/observability/log.ts';
import { startWatches, type Watches } from './controllers/cluster/watches.ts';
import { type ClusterCertificates, clusterCertificates } from './controllers/cluster/certificate-secrets.ts';
import { clusterDocuments, type ClusterDocuments } from './controllers/cluster/cluster-documents.ts';
import { startClusterReconciler } from './controllers/cluster/cluster-reconciler.ts';
import { clusterEvents } from './controllers/cluster/cluster-events.ts';
import { dispatcher } from './controllers/cluster/dispatch.ts';
import { type GatewayUrl, startGatewayPoll } from './controllers/cluster/gateway-poll.ts';
import { internalKeeper } from './controllers/cluster/internal-identities.ts';
import { judgedIdentities } from './controllers/cluster/judged.ts';
import { type Observer, clusterObserver } from './controllers/cluster/observe.ts';
import { isNews } from './controllers/cluster/news.ts';
import { type ProxyControl, proxyControl } from './controllers/cluster/proxy-control.ts';
import { writingsFor } from './controllers/cluster/drift.ts';
import { replicaDesk } from './controllers/cluster/replica-desk.ts';
import { followReferenced } from './controllers/cluster/referenced.ts';
import type { ClusterSettings } from './controllers/cluster/settings.ts';
import { createPlanShelf } from './controllers/cluster/site-memory.ts';
import { nothingDesired } from './controllers/cluster/wishes.ts';
import { startWriter } from './controllers/cluster/writer.ts';
import { remembering } from './controllers/observe-trust.ts';
import type { OperatorJournal } from './observability/journal.ts';
import type { ClusterMetrics, ClusterReadings } from './observability/cluster-metrics.ts';
import type { Tracing } from './observability/tracing.ts';
import { isPaused } from './plan/plan.ts';
import type { ResourceStatus } from './plan/status.ts';
import { createApplier } from './resources/kubernetes/apply.ts';
import type { KubeClient } from './resources/kubernetes/client.ts';
import { type Election, startElection } from './resources/kubernetes/election.ts';
import { createEventRecorder } from './resources/kubernetes/events.ts';
import { ConfigMap, Secret } from './resources/kubernetes/resource-kind.ts';
import { within } from './trust/document-store.ts';
import { openFetcher } from './trust/fetch.ts';
import { judged } from './trust/server-identities.ts';
import type { WhitelistVerifier } from './trust/whitelist-keeper.ts';

export interface ClusterOperatorOptions {
  readonly client: KubeClient;
  readonly settings: ClusterSettings;
  /** Where the control plane listens for proxies. */
  readonly control: { readonly host: string; readonly port: number };
  /** Where the proxies' public listener binds, in their pods. */
  readonly proxyListen: { readonly host: string; readonly port: number };
  readonly verifyWhitelist: WhitelistVerifier;
  /** `http://ADDRESS:PORT` of a gateway's admin listener; unless told that of its pod. */
  readonly gatewayUrl?: GatewayUrl;
  readonly log: Log;
  readonly journal: OperatorJournal;
  /** Made with what can be read of the running operator. */
  readonly metrics: (readings: ClusterReadings) => ClusterMetrics;
  readonly tracing: Tracing;
  /** Told under which id the round runs that begins; undefined when it is over. */
  readonly onRound: (id: string | undefined) => void;
  readonly onStatus: (resources: readonly ResourceStatus[], error?: string) => void;
  /** The process must end: another may lead from now on. */
  readonly onLost: (reason: string) => void;
  readonly now: () => Date;
  readonly random: () => number;
}

export interface ClusterOperator {
  isLeader(): boolean;
  /** Ms since the longest-silent watch was heard. */
  lastHeardMs(): number;
  /** TCP port of the control plane; undefined until the first proxy configuration is published. */
  controlPort(): number | undefined;
  stop(): Promise<void>;
}

const workers = 8;
const leaseName = 'drimbox-operator';

export function startOnCluster(options: ClusterOperatorOptions): ClusterOperator {
  const { client, settings, log, now, random } = options;
  let trigger = (): void => undefined;
  const changed = (): void => trigger();
  // Each needs the others' readings; all are asked only once everything is there.
  const parts: { election?: Election; watches?: Watches; control?: ProxyControl } = {};
  const isLeader = (): boolean => parts.election?.isLeader() ?? false;
  const queue: { depth: () => number; oldest: () => number } = { depth: () => 0, oldest: () => 0 };
  const metrics = options.metrics({
    queueDepth: () => queue.depth(),
    oldestWaitSeconds: () => queue.oldest(),
    isLeader,
    lastHeardSeconds: () => (parts.watches?.lastHeardMs() ?? 0) / 1000,
    proxies: () => parts.control?.proxies() ?? { connected: 0, acknowledged: 0 },
    paused: () => parts.watches?.sites.store.list().filter(isPaused).length ?? 0,
  });

  const plans = createPlanShelf();
  const watches = startWatches({
    client,
    namespaces: settings.namespaces,
    namespace: settings.namespace,
    keptOfMemory: (secret) => plans.shelve(secret),
    onChange: (kind, change) => {
      if (isNews(kind, change, named)) changed();
      if (isLeader()) for (const key of writingsFor(change, desired.whitelists.keys())) writer.add(key, 'fresh');
    },
    onError: (kind, error) =>
      log.write('warn', 'a watch is begun again', { resource: kind.plural, error: words(error) }),
    hooks: ({ plural }) => metrics.reflector(plural),
  });
  parts.watches = watches;
  const desired = nothingDesired();
  const named = (key: string): boolean => sight.names(key);
  const recorder = createEventRecorder({
    client,
    instance: settings.instance,
    onError: (error) => log.write('warn', 'an event could not be written', { error: words(error) }),
  });
  const journal = clusterEvents({ journal: options.journal, recorder, watches, isLeader, startedAt: now() });
  const control = proxyControl({
    listen: options.proxyListen,
    endpoint: options.control,
    journal,
    onChange: () => {
      desk.tell();
      changed();
    },
  });
  parts.control = control;
  const sight = openSight(options, { watches, isLeader, changed });
  const applier = createApplier({
    client,
    live: (kind, key) => watches.live(kind, key),
    onOutcome: ({ plural }, outcome) => metrics.applied(plural, outcome),
  });
  const { namespace, instance, podUid } = settings;
  const pod = podUid === undefined ? undefined : { name: instance, uid: podUid };
  const desk = replicaDesk({ applier, namespace, instance, pod, watches, control, log });
  const write = dispatcher({ client, applier, settings, desired, watches, ...sight });
  const writer = startWriter({
    workers,
    log,
    hooks: metrics.queue,
    // A change that is under way when leadership goes may still land; none begins any more.
    write: async (key) => (isLeader() ? await write(key) : { done: true }),
    onResult: (key, result, seconds) => metrics.written(key.slice(0, key.indexOf(' ')), result, seconds),
  });
  queue.depth = () => writer.depth;
  queue.oldest = () => writer.oldestWaitMs / 1000;
  const reconciler = startClusterReconciler({
    settings,
    watches,
    plans,
    ...sight,
    desired,
    writer,
    isLeader,
    publish: async (plan, internal, version) => {
      await control.publish(plan, internal, version);
      desk.tell();
    },
    ingress: () => desk.observe(),
    tracing: options.tracing,
    onRound: options.onRound,
    journal,
    onStatus: options.onStatus,
    now,
  });
  trigger = () => reconciler.trigger();
  const resync = setInterval(() => reconciler.resync(), settings.resyncMs * (0.9 + 0.2 * random()));
  parts.election = elect(options, (former) => {
    if (former !== undefined) desk.forget(former);
    reconciler.trigger();
  });
  return {
    isLeader,
    lastHeardMs: () => watches.lastHeardMs(),
    controlPort: () => control.port(),
    async stop() {
      trigger = () => undefined;
      clearInterval(resync);
      await reconciler.stop();
      await writer.stop();
      await recorder.stop();
      await desk.stop();
      // Last of what writes: from here on another one leads.
      await parts.election?.stop();
      await Promise.all([watches.stop(), control.stop(), sight.stop()]);
    },
  };
}

interface SightDeps {
  readonly watches: Watches;
  readonly isLeader: () => boolean;
  /** Something is worth a round. */
  readonly changed: () => void;
}

interface Sight {
  readonly observer: Observer;
  readonly documents: ClusterDocuments;
  readonly certificates: ClusterCertificates;
  /** Whether a Secret or ConfigMap is one that resources name. */
  names(key: string): boolean;
  stop(): Promise<void>;
}

/** All that is looked at, each in its way. */
function openSight(options: ClusterOperatorOptions, { watches, isLeader, changed }: SightDeps): Sight {
  const { client, settings, now, random } = options;
  const secrets = followReferenced(client, Secret, watches.secrets.store);
  const configMaps = followReferenced(client, ConfigMap, watches.configMaps.store);
  const documents: ClusterDocuments = clusterDocuments(settings.namespace, watches.documents.store, isLeader, changed);
  const certificates = clusterCertificates(watches.memories.store, changed);
  const fetcher = openFetcher(within(documents, 'fetched'), changed, random, isLeader);
  const poll = startGatewayPoll({
    periodMs: settings.statusPeriodMs,
    onNews: changed,
    random,
    ...(options.gatewayUrl !== undefined && { urlOf: options.gatewayUrl }),
  });
  const observer = clusterObserver({
    settings,
    watches,
    secrets,
    configMaps,
    trust: {
      fetcher,
      verify: remembering(options.verifyWhitelist),
      storeOf: (name) => within(documents, `trust/${name}`),
    },
    trustVersion: () => documents.version,
    identities: judgedIdentities(judged, certificates, random),
    certificates,
    internal: internalKeeper(),
    poll,
    isLeader,
    now,
  });
  return {
    observer,
    documents,
    certificates,
    names: (key) => secrets.names(key) || configMaps.names(key),
    async stop() {
      await Promise.all([poll.stop(), fetcher.settled()]);
    },
  };
}

function elect(
  { client, settings, log, onLost, now, random }: ClusterOperatorOptions,
  gained: (former?: string) => void,
): Election {
  return startElection({
    client,
    namespace: settings.namespace,
    name: leaseName,
    identity: settings.instance,
    onGained: (former) => {
      log.write('info', 'this replica leads', { instance: settings.instance, ...(former !== undefined && { former }) });
      gained(former);
    },
    onLost,
    onError: (error) => log.write('warn', 'the lease could not be asked', { error: words(error) }),
    now,
    random,
  });
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
