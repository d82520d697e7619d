/** Says what a cluster's workload controller and kubelets would: of every StatefulSet its pods that run, and which config they have mounted. */
import type { Kube } from './kube.ts';

type Json = Record<string, unknown>;

interface Seen {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly replicas: number; readonly template: Template };
  readonly data?: Readonly<Record<string, string>>;
}

interface Template {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: Json;
}

export interface RegionNodes {
  /** Revision of the config that the gateway of a site (`NAMESPACE/NAME`) reads; empty while there is none. */
  revisionOf(site: string): string;
  /** Pods made so far. */
  readonly pods: number;
  stop(): Promise<void>;
}

/** As the schema of sites has it. */
const mostReplicas = 16;
const siteLabel = 'drimbox.dev/site';
const ours = 'labelSelector=app.kubernetes.io%2Fmanaged-by%3Ddrimbox-operator';

/** @param workloads `made`: a controller manager and nodes make the pods, only configs are read here */
export function startRegionNodes(kube: Kube, namespace: string, workloads: 'said' | 'made'): RegionNodes {
  const stopping = new AbortController();
  const revisions = new Map<string, string>();
  const running = new Set<string>();
  // Of each pod one thing after the other: a set that is deleted and made again at once must not lose its new pod.
  const under = new Map<string, Promise<void>>();
  const inTurn = (name: string, work: () => Promise<void>): void => {
    const turn = (under.get(name) ?? Promise.resolve()).then(work).finally(() => {
      if (under.get(name) === turn) under.delete(name);
    });
    under.set(name, turn);
  };
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const workload = (type: string, { metadata, spec }: Seen): void => {
    const replicas = type === 'DELETED' ? 0 : (spec?.replicas ?? 1);
    for (let index = 0; index < mostReplicas; index += 1) {
      const name = `${metadata.name}-${index}`;
      if (index >= replicas) {
        if (!running.delete(name)) continue;
        inTurn(name, async () => void (await kube.request('DELETE', `${pods}/${name}`, { gracePeriodSeconds: 0 })));
      } else if (!running.has(name) && spec !== undefined) {
        running.add(name);
        inTurn(name, async () => await runPod(kube, pods, { name, index }, spec.template));
      }
    }
  };
  const config = (type: string, map: Seen): void => {
    const site = `${namespace}/${map.metadata.labels?.[siteLabel] ?? ''}`;
    const text = map.data?.['config.json'];
    if (text === undefined) return;
    if (type === 'DELETED') revisions.delete(site);
    else revisions.set(site, (JSON.parse(text) as { readonly revision: string }).revision);
  };
  const watching = [
    kube.watch(
      `/api/v1/namespaces/${namespace}/configmaps?${ours}`,
      ({ type, object }) => config(type, object as unknown as Seen), // as the API server's schema has it
      stopping.signal,
    ),
  ];
  if (workloads === 'said')
    watching.push(
      kube.watch(
        `/apis/apps/v1/namespaces/${namespace}/statefulsets?${ours}`,
        ({ type, object }) => workload(type, object as unknown as Seen), // as the API server's schema has it
        stopping.signal,
      ),
    );
  return {
    revisionOf: (site) => revisions.get(site) ?? '',
    get pods() {
      return running.size;
    },
    async stop() {
      stopping.abort();
      await Promise.all([...watching, ...under.values()]);
    },
  };
}

/** With the labels that the controller of StatefulSets adds. */
async function runPod(
  kube: Kube,
  pods: string,
  { name, index }: { readonly name: string; readonly index: number },
  { metadata, spec }: Template,
): Promise<void> {
  const labels = {
    ...metadata.labels,
    'apps.kubernetes.io/pod-index': String(index),
    'statefulset.kubernetes.io/pod-name': name,
  };
  await kube.request('POST', pods, { metadata: { ...metadata, labels, name }, spec });
  const status = {
    phase: 'Running',
    podIP: '127.0.0.1',
    podIPs: [{ ip: '127.0.0.1' }],
    containerStatuses: [
      {
        name: 'gateway',
        image: 'x',
        imageID: 'x',
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: new Date().toISOString() } },
      },
    ],
  };
  await kube.request('PATCH', `${pods}/${name}/status`, { status }, 'application/merge-patch+json');
}
