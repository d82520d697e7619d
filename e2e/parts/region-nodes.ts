/** Says what a cluster's workload controller and kubelets would: of every StatefulSet a pod that runs, and which config it has mounted. */
import type { Kube } from './kube.ts';

type Json = Record<string, unknown>;

interface Seen {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly template: { readonly metadata: Json; readonly spec: Json } };
  readonly data?: Readonly<Record<string, string>>;
}

export interface RegionNodes {
  /** Revision of the config that the gateway of a site (`NAMESPACE/NAME`) reads; empty while there is none. */
  revisionOf(site: string): string;
  /** Pods made so far. */
  readonly pods: number;
  stop(): Promise<void>;
}

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
  const workload = (type: string, set: Seen): void => {
    const name = `${set.metadata.name}-0`;
    if (type === 'DELETED') {
      running.delete(name);
      inTurn(name, async () => void (await kube.request('DELETE', `${pods}/${name}`, { gracePeriodSeconds: 0 })));
    } else if (!running.has(name)) {
      running.add(name);
      inTurn(name, async () => await runPod(kube, pods, name, set));
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

async function runPod(kube: Kube, pods: string, name: string, { spec }: Seen): Promise<void> {
  await kube.request('POST', pods, { metadata: { ...spec?.template.metadata, name }, spec: spec?.template.spec });
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
