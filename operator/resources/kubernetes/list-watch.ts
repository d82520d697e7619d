/** One LIST and the WATCHes after it, of one namespace or of all: where a reflector hears from. */
import { breathe, ownTurn } from '../../turns.ts';
import type { KubeClient, KubeRequest } from './client.ts';
import { KubeError, type KubeStatus } from './kube-error.ts';
import { apiVersionOf, type KubeObject, type ObjectMetadata, pathOf, type ResourceKind } from './resource-kind.ts';

export interface Collection {
  readonly client: KubeClient;
  readonly kind: ResourceKind;
  /** Undefined: cluster-wide. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
}

interface ListPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: KubeObject[] | null;
}

const metadataAs = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1`;

/**
 * All objects, page by page. Without a resourceVersion, as only that is both consistent and paged: asked with
 * `resourceVersion=0`, the API server ignores `limit` and sends everything at once.
 * @param accept called for each object, managedFields gone
 * @returns the resourceVersion to watch from
 */
export async function listAll(
  collection: Collection,
  pageSize: number,
  signal: AbortSignal,
  accept: (object: KubeObject) => void,
): Promise<string> {
  let next: string | undefined;
  for (;;) {
    const page: ListPage = await collection.client.request<ListPage>({
      method: 'GET',
      path: pathOf(collection.kind, collection.namespace),
      query: { ...selectors(collection), limit: pageSize, continue: next },
      ...(collection.metadataOnly === true ? { accept: metadataAs('PartialObjectMetadataList') } : {}),
      signal,
    });
    // Parsing a page took its time: others first.
    await ownTurn();
    for (const item of page.items ?? []) {
      accept(kept(item, collection));
      await breathe();
    }
    signal.throwIfAborted();
    next = page.metadata.continue;
    if (next === undefined || next === '') return page.metadata.resourceVersion;
  }
}

export type Heard =
  | { readonly type: 'put' | 'delete'; readonly object: KubeObject; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/**
 * One watch: ends when the server ends it.
 * @throws KubeError also for an ERROR event, with the status in it: 410 when the resourceVersion is too old
 */
export async function* watchFrom(
  collection: Collection,
  resourceVersion: string,
  timeoutSeconds: number,
  signal: AbortSignal,
): AsyncIterable<Heard> {
  const { client, kind, namespace, metadataOnly } = collection;
  const events = client.watch(
    pathOf(kind, namespace),
    { ...selectors(collection), resourceVersion, allowWatchBookmarks: true, timeoutSeconds },
    signal,
    metadataOnly === true ? metadataAs('PartialObjectMetadata') : undefined,
  );
  for await (const event of events) {
    if (event.type === 'ERROR') throw toError(kind, event.object);
    const version = event.object.metadata.resourceVersion;
    if (version === undefined) throw new Error(`watch of ${kind.plural}: an object without resourceVersion`);
    if (event.type === 'BOOKMARK') yield { type: 'bookmark', resourceVersion: version };
    else {
      const type = event.type === 'DELETED' ? 'delete' : 'put';
      yield { type, object: kept(event.object, collection), resourceVersion: version };
    }
  }
}

function selectors({ labelSelector, fieldSelector }: Collection): NonNullable<KubeRequest['query']> {
  return { labelSelector, fieldSelector };
}

/** In it `kubectl apply` keeps the whole object as text: of a Secret its key, in what claims to be metadata. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * What is kept of an object: managedFields are two thirds of it and read by nobody. Metadata is copied without them, as a
 * property deleted from the middle would turn it into a slow and large dictionary. Items of a list name no kind.
 */
function kept(object: KubeObject, { kind, metadataOnly }: Collection): KubeObject {
  const { managedFields: _, ...seen } = object.metadata as ObjectMetadata & { readonly managedFields?: unknown };
  const metadata =
    seen.annotations?.[lastApplied] === undefined
      ? seen
      : { ...seen, annotations: withoutLastApplied(seen.annotations) };
  const named = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  return metadataOnly === true ? { ...named, metadata } : { ...object, ...named, metadata };
}

function withoutLastApplied(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== lastApplied));
}

function toError(kind: ResourceKind, status: KubeStatus): KubeError {
  const code = status.code ?? 500;
  const asked = status.details?.retryAfterSeconds;
  return new KubeError(`watch of ${kind.plural}: ${code} ${status.message ?? ''}`.trimEnd(), code, {
    reason: status.reason ?? '',
    details: status.details ?? {},
    retryAfterMs: asked === undefined ? undefined : asked * 1000,
  });
}
