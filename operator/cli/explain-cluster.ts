/** What a cluster knows of a resource and of what it depends on: its links, its trust space, its pod, what was told of it lately. */
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';
import { selectorOf } from '../infrastructure/kubernetes/names.ts';
import { keyOf } from '../resources/inventory.ts';
import { type KubeClient, KubeError } from '../resources/kubernetes/client.ts';
import {
  DrimboxSite as SiteKind,
  Event as EventKind,
  PacsLink as LinkKind,
  Pod as PodKind,
  type ResourceKind,
  TrustSpace as TrustKind,
  pathOf,
} from '../resources/kubernetes/resource-kind.ts';
import type { GatewayPodFacts } from '../controllers/cluster/pod-facts.ts';
import type { Explained, Target } from './explanation.ts';

interface List<T> {
  readonly items: readonly T[];
}

type Resource = TrustSpace | DrimboxSite | PacsLink;

export async function explainedFromCluster(
  client: KubeClient,
  asked: Target | undefined,
  namespace: string,
): Promise<Explained[]> {
  const list = async <T>(kind: ResourceKind): Promise<readonly T[]> =>
    (await client.request<List<T>>({ method: 'GET', path: pathOf(kind) })).items;
  const trustSpaces = await list<TrustSpace>(TrustKind);
  const sites = await list<DrimboxSite>(SiteKind);
  const links = await list<PacsLink>(LinkKind);
  const chosen = choose({ trustSpaces, sites, links }, asked, namespace);
  const found: Explained[] = [];
  for (const [kind, resource] of chosen) found.push(await explained(client, kind, resource, asked !== undefined));
  return found;
}

interface All {
  readonly trustSpaces: readonly TrustSpace[];
  readonly sites: readonly DrimboxSite[];
  readonly links: readonly PacsLink[];
}

type Chosen = readonly (readonly [Explained['kind'], Resource])[];

/** What was asked for first, then what it stands on. */
function choose({ trustSpaces, sites, links }: All, asked: Target | undefined, namespace: string): Chosen {
  const ofTrust = trustSpaces.map((one) => ['TrustSpace', one] as const);
  const ofSite = sites.map((one) => ['DrimboxSite', one] as const);
  const ofLink = links.map((one) => ['PacsLink', one] as const);
  if (asked === undefined) return [...ofTrust, ...ofSite, ...ofLink];
  const space = asked.namespace ?? namespace;
  const isNamed = ([, { metadata }]: Chosen[number]): boolean =>
    metadata.name === asked.name && metadata.namespace === space;
  if (asked.kind === 'TrustSpace') return ofTrust.filter(([, { metadata }]) => metadata.name === asked.name);
  if (asked.kind === 'PacsLink') return ofLink.filter(isNamed);
  const own = ofSite.filter(isNamed);
  const [site] = own;
  if (site === undefined) return [];
  return [
    ...own,
    ...ofLink.filter(([, { metadata, spec }]) => metadata.namespace === space && spec.site === asked.name),
    ...ofTrust.filter(([, { metadata }]) => metadata.name === site[1].spec.trustSpace),
  ];
}

async function explained(
  client: KubeClient,
  kind: Explained['kind'],
  { metadata, status }: Resource,
  thoroughly: boolean,
): Promise<Explained> {
  const notes = thoroughly
    ? [
        ...(kind === 'DrimboxSite' ? await podNotes(client, metadata) : []),
        ...(await eventNotes(client, kind, metadata)),
      ]
    : [];
  return {
    kind,
    key: keyOf({ metadata }),
    generation: metadata.generation ?? 0,
    observedGeneration: status?.observedGeneration ?? 0,
    conditions: status?.conditions ?? [],
    notes,
  };
}

async function podNotes(client: KubeClient, { name, namespace = '' }: Resource['metadata']): Promise<string[]> {
  const labels = Object.entries(selectorOf(name)).map(([label, value]) => `${label}=${value}`);
  const { items } = await client.request<List<GatewayPodFacts>>({
    method: 'GET',
    path: pathOf(PodKind, namespace),
    query: { labelSelector: labels.join() },
  });
  if (items.length === 0) return ['pod: none yet'];
  return items.map(({ metadata, status }) => {
    const [container] = status?.containerStatuses ?? [];
    const restarts = container?.restartCount ?? 0;
    return `pod: ${metadata.name} ${status?.phase ?? 'Unknown'}${restarts === 0 ? '' : `, restarted ${restarts} times`}; kubectl -n ${namespace} logs ${metadata.name}`;
  });
}

interface EventSeen {
  readonly reason?: string;
  readonly note?: string;
  readonly eventTime?: string | null;
  readonly deprecatedLastTimestamp?: string | null;
  readonly regarding?: { readonly kind?: string; readonly name?: string };
}

const shownEvents = 5;

/** Not everybody who may look at sites may look at events: then nothing is said of them. */
async function eventNotes(
  client: KubeClient,
  kind: string,
  { name, namespace }: Resource['metadata'],
): Promise<string[]> {
  try {
    const { items } = await client.request<List<EventSeen>>({
      method: 'GET',
      path: pathOf(EventKind, namespace ?? 'default'),
      query: { fieldSelector: `regarding.kind=${kind},regarding.name=${name}` },
    });
    return items
      .map((event) => ({ at: event.eventTime ?? event.deprecatedLastTimestamp ?? '', event }))
      .toSorted((a, b) => (a.at < b.at ? -1 : 1))
      .slice(-shownEvents)
      .map(({ at, event }) => `event: ${at.slice(0, 19)}Z ${event.reason ?? ''}: ${event.note ?? ''}`);
  } catch (error) {
    if (error instanceof KubeError && error.status === 403) return [];
    throw error;
  }
}
