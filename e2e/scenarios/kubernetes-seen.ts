/** What stands in a region's Kubernetes API, looked at as a person with kubectl would: objects, conditions, who wrote them when. */
import { operatorNamespace, type RegionWorld, listOf, siteNamespace } from '../bench/region-world.ts';
import { type Page, parsePage, requestsIn, sum } from '../bench/region-pages.ts';
import type { Kube } from '../parts/kube.ts';
import type { Json } from '../parts/region.ts';
import { until } from './site.ts';

/** ms, on a machine that does other things as well. */
export const patience = 120_000;

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly generation?: number;
  readonly resourceVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly { readonly manager: string }[];
  readonly ownerReferences?: readonly { readonly kind: string; readonly uid: string; readonly controller?: boolean }[];
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

export interface Seen extends Json {
  readonly metadata: Metadata;
  readonly spec: Json;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly status?: Json & { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

const ownKinds: Readonly<Record<string, string>> = {
  secrets: '/api/v1',
  configmaps: '/api/v1',
  services: '/api/v1',
  persistentvolumeclaims: '/api/v1',
  statefulsets: '/apis/apps/v1',
  networkpolicies: '/apis/networking.k8s.io/v1',
  poddisruptionbudgets: '/apis/policy/v1',
};
export const ownPlurals: readonly string[] = Object.keys(ownKinds);
const ours = 'app.kubernetes.io/managed-by=drimbox-operator';

/** Of a kind that the operator makes. */
export function objectPath(plural: string, namespace: string, name = ''): string {
  return `${ownKinds[plural] ?? ''}/namespaces/${namespace}/${plural}${name === '' ? '' : `/${name}`}`;
}

/** undefined when there is none. */
export async function look(kube: Kube, path: string): Promise<Seen | undefined> {
  const { status, body } = await kube.request('GET', path);
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return body as Seen; // as the API server's schema has it
}

/** Merge patch, as somebody else than the operator. @throws Error with the API server's words */
export async function change(kube: Kube, path: string, patch: Json, manager = 'person'): Promise<Seen> {
  const separator = path.includes('?') ? '&' : '?';
  const type = 'application/merge-patch+json';
  const { status, body } = await kube.request('PATCH', `${path}${separator}fieldManager=${manager}`, patch, type);
  if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return body as Seen; // as the API server's schema has it
}

export function condition(seen: Seen | undefined, type: string): Condition | undefined {
  return seen?.status?.conditions?.find((one) => one.type === type);
}

/** `STATUS REASON` of a condition that speaks of the newest generation; undefined while it does not. */
export function verdict(seen: Seen | undefined, type: string): string | undefined {
  const found = condition(seen, type);
  if (found === undefined || found.observedGeneration !== seen?.metadata.generation) return undefined;
  return `${found.status} ${found.reason}`;
}

/** @throws Error with the last status seen when it never says so */
export async function untilVerdict(kube: Kube, path: string, type: string, wanted: string): Promise<void> {
  let last: Seen | undefined;
  await until(
    `${path} ${type} ${wanted}`,
    async () => verdict((last = await look(kube, path)), type) === wanted,
    patience,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last?.status)}`, { cause: error });
  });
}

/** Objects of the operator by `PLURAL NAMESPACE/NAME`; what a replica tells of itself left out. */
export async function ownObjects(kube: Kube, namespaces: readonly string[]): Promise<ReadonlyMap<string, Seen>> {
  const found = new Map<string, Seen>();
  for (const namespace of namespaces)
    for (const plural of ownPlurals)
      for (const item of await listOf(kube, `${objectPath(plural, namespace)}?labelSelector=${ours}`)) {
        const seen = item as Seen; // as the API server's schema has it
        if (seen.metadata.labels?.['drimbox.dev/replica'] !== undefined) continue;
        found.set(`${plural} ${namespace}/${seen.metadata.name}`, seen);
      }
  return found;
}

/** What changes with any write: resourceVersions of the operator's objects and of our resources. */
export async function versions(kube: Kube, site?: string): Promise<Readonly<Record<string, string>>> {
  const objects = await ownObjects(kube, [siteNamespace, operatorNamespace]);
  const found = new Map<string, string>();
  for (const [key, { metadata }] of objects)
    if (site === undefined || metadata.labels?.['drimbox.dev/site'] === site) found.set(key, metadata.resourceVersion);
  const resources = '/apis/drimbox.dev/v1alpha1';
  const paths = ['drimboxsites', 'pacslinks'].map((plural) => `${resources}/namespaces/${siteNamespace}/${plural}`);
  if (site === undefined)
    for (const path of [...paths, `${resources}/trustspaces`])
      for (const item of await listOf(kube, path)) {
        const { metadata } = item as Seen; // as the API server's schema has it
        found.set(`${path}/${metadata.name}`, metadata.resourceVersion);
      }
  return Object.fromEntries(found);
}

export async function page(metricsPort: number): Promise<Page> {
  return parsePage(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
}

export function rounds(of: Page): number {
  return sum(
    [...of].flatMap(([series, value]) => (series.startsWith('drimbox_operator_reconcile_total') ? value : [])),
  );
}

/** Writes so far, what a replica tells of itself and its Lease left out: `METHOD RESOURCE` to how many. */
export function writes(of: Page): Readonly<Record<string, number>> {
  return Object.fromEntries([...requestsIn(of)].filter(([key]) => !/^(get|list|watch) /i.test(key)));
}

/** A round began after now and is over, and nothing waits to be written: rounds are asked for by a pod, which is nobody's to write. */
export async function settled(kube: Kube, metricsPort: number): Promise<void> {
  const pod = `/api/v1/namespaces/${siteNamespace}/pods/drimbox-site-2-0`;
  for (const turn of ['the round under way', 'a round begun since']) {
    const before = rounds(await page(metricsPort));
    await change(kube, pod, { metadata: { annotations: { 'other.example/looked': `${before}` } } });
    await until(
      `${turn} over, and nothing waits`,
      async () => {
        const now = await page(metricsPort);
        return rounds(now) > before && now.get('workqueue_depth{name="drimbox"}') === 0;
      },
      90_000,
    );
  }
}

export async function allReady(world: RegionWorld): Promise<boolean> {
  const { ready, all } = await world.readiness();
  return all > 0 && ready === all;
}
