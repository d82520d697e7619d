/** `operator cluster`: the operator in a pod, or beside a cluster with a kubeconfig. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Log, createLog } from '../../common/observability/log.ts';
import { type ClusterOperator, startOnCluster } from '../cluster.ts';
import type { GatewayUrl } from '../controllers/cluster/gateway-poll.ts';
import type { StatusDocument } from '../controllers/status-document.ts';
import { createClusterMetrics } from '../observability/cluster-metrics.ts';
import { createOperatorJournal } from '../observability/journal.ts';
import { startMetricsServer } from '../observability/metrics-server.ts';
import { type Tracing, openTracing, withoutSpans } from '../observability/tracing.ts';
import { createOperatorMetrics } from '../observability/metrics.ts';
import { type KubeAccess, inClusterAccess } from '../resources/kubernetes/access.ts';
import { kubeconfigAccess } from '../resources/kubernetes/kubeconfig-access.ts';
import { createKubeClient } from '../resources/kubernetes/client.ts';
import type { ObservedRequest } from '../resources/kubernetes/client.ts';
import { readListen } from './listen.ts';
import type { WhitelistVerifier } from '../trust/whitelist-keeper.ts';

export const clusterUsage = `usage: operator cluster --gateway-image IMAGE [--namespaces A,B] [--kubeconfig FILE | --service-account DIR]

Runs in a pod (the Helm chart does that), or beside a cluster with --kubeconfig. Several replicas may run: one leads, all serve proxies.

  --gateway-image IMAGE       image of the gateways
  --pull-policy POLICY        of that image: IfNotPresent (default), Always or Never
  --pull-secrets A,B          Secrets to pull it with, in the sites' namespaces
  --namespaces A,B            only these are looked at (default: all, which needs rights over the cluster)
  --namespace NAME            the operator's own (default: the service account's, or the kubeconfig's)
  --kubeconfig FILE           instead of the pod's service account; --context NAME picks one
  --service-account DIR       token, ca.crt and namespace of the service account (default: where a pod has them mounted); the API
                              server is the one that KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT name
  --control ADDRESS:PORT      where proxies ask for their configuration (default 0.0.0.0:18000)
  --proxy-listen ADDRESS:PORT where proxies listen in their pods (default 0.0.0.0:8443)
  --metrics ADDRESS:PORT      /metrics, /livez, /readyz (default 0.0.0.0:9464)
  --qps N --burst N           bounds on requests to the API server (default 100 and 200)
  --status-seconds N          between two looks at a gateway (default 5)
  --resync-minutes N          between two looks at what did not change (default 10)
  --instance NAME             of this replica (default: the host name, which is the pod's)
  --gateway-url URL           admin address of gateways, {site} and {pod} are put in (default: port 8080 of their pods)

Environment: OTEL_EXPORTER_OTLP_ENDPOINT (http://collector:4318) sends a trace of each round there; its id is the version that proxies
show for their configuration, and reconcileId in the log. POD_UID: of its pod.

Exit codes: 0 stopped when told to, 1 could not start or lost the lead, 2 wrong usage.
`;

/** Settles with the exit code when the operator has stopped. */
export async function cluster(argv: readonly string[], verifyWhitelist: WhitelistVerifier): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'gateway-image': { type: 'string' },
      'pull-policy': { type: 'string', default: 'IfNotPresent' },
      'pull-secrets': { type: 'string', default: '' },
      namespaces: { type: 'string', default: '' },
      namespace: { type: 'string' },
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      'service-account': { type: 'string' },
      control: { type: 'string', default: '0.0.0.0:18000' },
      'proxy-listen': { type: 'string', default: '0.0.0.0:8443' },
      metrics: { type: 'string', default: '0.0.0.0:9464' },
      qps: { type: 'string', default: '100' },
      burst: { type: 'string', default: '200' },
      'status-seconds': { type: 'string', default: '5' },
      'resync-minutes': { type: 'string', default: '10' },
      instance: { type: 'string', default: hostname() },
      'gateway-url': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const listens = [values.control, values['proxy-listen'], values.metrics];
  const [control, proxyListen, metricsAt] = listens.map((text) => readListen(text, 0));
  const image = values['gateway-image'];
  const numbers = [values.qps, values.burst, values['status-seconds'], values['resync-minutes']].map(Number);
  const [qps = 0, burst = 0, statusSeconds = 0, resyncMinutes = 0] = numbers;
  const badNumber = numbers.some((value) => !(value > 0));
  if (values.help || image === undefined || badNumber || !control || !proxyListen || !metricsAt) {
    process.stderr.write(clusterUsage);
    return values.help ? 0 : 2;
  }
  const access = await accessBy(values);
  const root = join(import.meta.dirname, '../..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const now = (): Date => new Date();
  const log = createLog('info', { program: 'operator', instance: values.instance }, 1);
  let last: StatusDocument | undefined;
  const metrics = createOperatorMetrics(() => last);
  const { registry } = metrics;
  // What a round tells bears its id, by which the proxies' configuration is found too.
  const round: { id: string | undefined } = { id: undefined };
  const journal = createOperatorJournal({ log: inRound(log, () => round.id), metrics, now, former: [] });
  const tracing = await tracingTo(process.env['OTEL_EXPORTER_OTLP_ENDPOINT'], values.instance, version);
  const told = new AbortController();
  let lost: string | undefined;
  // Pages before everything: a pod that hangs while it starts must be seen to.
  const pages = await startMetricsServer({ ...metricsAt, registry, status: () => last, now });
  const observers: ((observed: ObservedRequest) => void)[] = [];
  const client = createKubeClient({
    access,
    qps,
    burst,
    userAgent: `drimbox-operator/${version}`,
    onRequest: (observed) => observers.forEach((observe) => observe(observed)),
  });
  const operator: ClusterOperator = startOnCluster({
    client,
    settings: {
      namespace: values.namespace ?? access.namespace,
      namespaces: values.namespaces === '' ? 'all' : list(values.namespaces),
      instance: values.instance,
      ...(process.env['POD_UID'] !== undefined && { podUid: process.env['POD_UID'] }),
      workload: {
        image,
        imagePullPolicy: values['pull-policy'],
        imagePullSecrets: list(values['pull-secrets']),
        system: { name: values.namespace ?? access.namespace },
      },
      software: { name: 'drimbox', version },
      statusPeriodMs: statusSeconds * 1000,
      resyncMs: resyncMinutes * 60_000,
    },
    control,
    proxyListen,
    verifyWhitelist,
    ...(values['gateway-url'] !== undefined && { gatewayUrl: fromTemplate(values['gateway-url']) }),
    log,
    journal,
    tracing,
    onRound: (id) => (round.id = id),
    metrics(readings) {
      const made = createClusterMetrics(registry, readings);
      observers.push((observed) => made.request(observed));
      return made;
    },
    onStatus(resources, error) {
      last = {
        apiVersion: 'status.drimbox.dev/v1alpha1',
        writtenAt: now().toISOString(),
        operatorPid: process.pid,
        resources,
        faults: [],
        processes: [],
        events: journal.events(),
        ...(error !== undefined && { error }),
      };
    },
    onLost(reason) {
      lost = reason;
      told.abort();
    },
    now,
    random: Math.random,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => told.abort());
  await once(told.signal, 'abort');
  if (lost !== undefined) {
    // Another may lead already: nothing of ours may be written any more, not even in order.
    log.write('error', 'the lead is lost, this process ends and starts anew', { reason: lost });
    process.exit(1);
  }
  await operator.stop();
  await tracing.stop();
  await pages.close();
  await client.close();
  return 0;
}

interface AccessFlags {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly 'service-account'?: string | undefined;
}

async function accessBy({ kubeconfig, context, 'service-account': folder }: AccessFlags): Promise<KubeAccess> {
  if (kubeconfig !== undefined) return await kubeconfigAccess(kubeconfig, context);
  return inClusterAccess(folder === undefined ? {} : { folder });
}

async function tracingTo(endpoint: string | undefined, instance: string, version: string): Promise<Tracing> {
  if (endpoint === undefined || endpoint === '') return withoutSpans();
  return await openTracing({ endpoint, instance, version });
}

/** Adds the id of the round under way. */
function inRound(log: Log, id: () => string | undefined): Log {
  return {
    ...log,
    write(level, message, fields = {}) {
      const reconcileId = id();
      log.write(level, message, reconcileId === undefined ? fields : { ...fields, reconcileId });
    },
  };
}

function list(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

function fromTemplate(template: string): GatewayUrl {
  return ({ address, site, pod }) =>
    template.replaceAll('{address}', address).replaceAll('{site}', site).replaceAll('{pod}', pod);
}
