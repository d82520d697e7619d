/** Who gets through to our pods on a network that enforces policies: tried from each of them, and from pods that should stay outside. */
import { type Called, type Caller, callers, letsIn } from '../charts/who-reaches-whom.ts';
import { namespace } from '../demo/world.ts';
import type { Cluster } from '../parts/cluster/single-node.ts';
import { type PodSeen, programPods } from './objects.ts';
import { systemNamespace } from './installation.ts';

interface Stranger {
  readonly caller: Caller;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const nameLabel = 'app.kubernetes.io/name';
const elsewhere = 'elsewhere';
const monitoring = 'monitoring';
const strangers: readonly Stranger[] = [
  { caller: 'pod beside the gateway', namespace, name: 'beside', labels: { app: 'stranger' } },
  { caller: 'pod beside the operator', namespace: systemNamespace, name: 'beside', labels: { app: 'stranger' } },
  { caller: 'false ingress', namespace: elsewhere, name: 'ingress', labels: { [nameLabel]: 'drimbox-ingress' } },
  { caller: 'false operator', namespace: elsewhere, name: 'operator', labels: { [nameLabel]: 'drimbox-operator' } },
  { caller: 'prometheus', namespace: monitoring, name: 'prometheus', labels: { app: 'prometheus' } },
];

const node = '/usr/local/bin/node';
/** Refused or silent: not reached. Prints `ADDRESS:PORT` of those that took the connection. */
const attempt = `
const { connect } = require('node:net');
for (const target of process.argv.slice(1)) {
  const [host, port] = target.split(':');
  const socket = connect({ host, port: Number(port), timeout: 2000 });
  socket.on('connect', () => { console.log(target); socket.destroy(); });
  socket.on('timeout', () => socket.destroy());
  socket.on('error', () => undefined);
}`;

/** Their pods, Ready; removed by `removeStrangers`. */
export async function addStrangers(cluster: Cluster): Promise<void> {
  const [gateway] = await programPods(cluster, 'gateway');
  if (gateway === undefined) throw new Error('no gateway, whose image the strangers run');
  const path = ['-n', gateway.namespace, 'get', 'pod', gateway.name];
  const image = await cluster.kubectl(...path, '-o', 'jsonpath={.spec.containers[0].image}');
  for (const name of [elsewhere, monitoring]) await cluster.kubectl('create', 'namespace', name);
  await cluster.kubectl('label', 'namespace', monitoring, 'drimbox.dev/metrics=true');
  const items = strangers.map(({ namespace: space, name, labels }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: space, name, labels },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'idle',
          image,
          imagePullPolicy: 'Never',
          command: [node, '-e', 'setInterval(() => undefined, 1e9)'],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }));
  await cluster.kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), 'apply', '-f', '-');
  for (const { namespace: space, name } of strangers)
    await cluster.kubectl('-n', space, 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=60s');
}

export async function removeStrangers(cluster: Cluster): Promise<void> {
  for (const { namespace: space, name } of strangers)
    await cluster.kubectl('-n', space, 'delete', 'pod', name, '--wait=false');
  await cluster.kubectl('delete', 'namespace', elsewhere, monitoring, '--wait=false');
}

/** As `letsIn`, but found by trying, by those who are in the cluster. */
export async function whoGetsThrough(cluster: Cluster): Promise<Record<Called, Record<number, readonly Caller[]>>> {
  const pods = {
    gateway: await onlyPod(cluster, 'gateway', 'drimbox-nord-0'),
    operator: await onlyPod(cluster, 'operator'),
    ingress: await onlyPod(cluster, 'ingress'),
    'gateway of another site': await onlyPod(cluster, 'gateway', 'drimbox-sud-0'),
  } as const;
  const places = new Map<Caller, readonly string[]>([
    ...Object.entries(pods).map(([caller, pod]) => [caller as Caller, ['-n', pod.namespace, pod.name]] as const),
    // Envoy's image has nothing to try with; its sidecar has the same address.
    ['ingress', ['-n', systemNamespace, pods.ingress.name, '-c', 'drain']],
    ...strangers.map(({ caller, namespace: space, name }) => [caller, ['-n', space, name]] as const),
  ]);
  const reached = new Map<Caller, ReadonlySet<string>>();
  for (const [caller, place] of places) {
    const others = Object.entries(letsIn).filter(([called]) => called !== caller);
    const targets = others.flatMap(([called, ports]) =>
      Object.keys(ports).map((port) => `${pods[called as Called].address}:${port}`),
    );
    const told = await cluster.kubectl('exec', ...place, '--', node, '-e', attempt, ...targets);
    reached.set(caller, new Set(told.split('\n')));
  }
  const found = (called: Called): Record<number, readonly Caller[]> =>
    Object.fromEntries(
      Object.keys(letsIn[called]).map((port) => [
        port,
        callers.filter((caller) => reached.get(caller)?.has(`${pods[called].address}:${port}`) === true),
      ]),
    );
  return { gateway: found('gateway'), operator: found('operator'), ingress: found('ingress') };
}

/** What `whoGetsThrough` should find: those who are outside of the cluster don't try. */
export function shouldGetThrough(): Record<Called, Record<number, readonly Caller[]>> {
  const outside: readonly Caller[] = ['hospital', 'hospital over IPv6', 'internet'];
  const within = (called: Called): Record<number, readonly Caller[]> =>
    Object.fromEntries(
      Object.entries(letsIn[called]).map(([port, names]) => [port, names.filter((name) => !outside.includes(name))]),
    );
  return { gateway: within('gateway'), operator: within('operator'), ingress: within('ingress') };
}

async function onlyPod(cluster: Cluster, program: Called, name?: string): Promise<PodSeen> {
  const pods = await programPods(cluster, program);
  const pod = pods.find((one) => !one.leaving && (name === undefined || one.name === name));
  if (pod === undefined) throw new Error(`no pod ${name ?? `of the ${program}`}`);
  return pod;
}
