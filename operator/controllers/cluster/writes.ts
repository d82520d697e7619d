/** What each key of the writer's queue stands for, and how it is written. */
import { toConfigMaps } from '../../infrastructure/kubernetes/config-maps.ts';
import {
  dimseServiceName,
  ownLabels,
  podNames,
  siteLabel,
  whitelistName,
} from '../../infrastructure/kubernetes/names.ts';
import type { Planned } from '../../infrastructure/kubernetes/planned.ts';
import { servicesOf } from '../../infrastructure/kubernetes/services.ts';
import { type WorkloadSettings, siteObjects } from '../../infrastructure/kubernetes/site-objects.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from '../../api/types.generated.ts';
import type { GatewayPlan } from '../../plan/gateway-plan.ts';
import type { ResourceStatus } from '../../plan/status.ts';
import type { Applier, ApplyObject, ApplyOutcome } from '../../resources/kubernetes/apply.ts';
import { type KubeClient, KubeError } from '../../resources/kubernetes/client.ts';
import {
  ConfigMap,
  DrimboxSite as SiteKind,
  type KubeObject,
  type OwnerReference,
  PacsLink as LinkKind,
  Pod,
  type ResourceKind,
  Secret,
  Service,
  TrustSpace as TrustKind,
  pathOf,
} from '../../resources/kubernetes/resource-kind.ts';
import { breathe } from '../../turns.ts';
import { type Written, summary } from './writer.ts';

export interface DesiredSite {
  readonly site: DrimboxSite;
  readonly trust: TrustSpace | undefined;
  readonly links: readonly PacsLink[];
  /** Absent: only its Services are to be there, or what it has is to stay. */
  readonly plan?: GatewayPlan;
  /** Files of the plan before that the plan has no more. */
  readonly former?: Pick<GatewayPlan, 'files'>;
  /** What to remember of it. */
  readonly memory?: () => ApplyObject;
}

export interface WriteDeps {
  readonly client: KubeClient;
  readonly applier: Applier;
  readonly settings: WorkloadSettings;
  readonly podsOf: (site: string) => readonly KubeObject[];
  readonly live: (kind: ResourceKind, key: string) => KubeObject | undefined;
}

const kinds: Readonly<Record<ResourceStatus['kind'], ResourceKind>> = {
  TrustSpace: TrustKind,
  DrimboxSite: SiteKind,
  PacsLink: LinkKind,
};

export async function writeObjects(applier: Applier, objects: readonly Planned[]): Promise<Written> {
  const outcomes: { readonly what: string; readonly outcome: ApplyOutcome }[] = [];
  for (const { kind, object } of objects) {
    const { namespace, name } = object.metadata;
    const outcome = await applier.apply(kind, object);
    // What needs no request would go on without end, all workers in one turn of the loop.
    await breathe();
    outcomes.push({ what: `${kind.kind} ${namespace ?? ''}/${name}`, outcome });
    // What comes later may name it.
    if ('message' in outcome) break;
  }
  return summary(outcomes);
}

/** Memory first: what is not remembered must not be in force. */
export async function writeSite(
  desired: DesiredSite,
  { client, applier, settings, podsOf, live }: WriteDeps,
): Promise<Written> {
  const { site, trust, links, plan, former, memory } = desired;
  const remembered: Planned[] = memory === undefined ? [] : [{ kind: Secret, object: memory() }];
  const rest =
    plan === undefined || trust === undefined
      ? servicesOf(site)
      : siteObjects({ site, trust, links, plan, ...(former !== undefined && { former }), settings });
  const written = await writeObjects(applier, [...remembered, ...rest]);
  if (!written.done || plan === undefined) return written;
  const pods = podsOf(plan.site);
  for (const pod of pods) await nudge(client, site, pod, plan.config.revision);
  for (const key of leftServices(site, plan, pods)) {
    const service = live(Service, key);
    // Another site may be called so that its own Service has this name.
    if (service?.metadata.labels?.[siteLabel] === site.metadata.name)
      await applier.remove(Service, key, uidOf(service));
  }
  return written;
}

function uidOf({ metadata }: KubeObject): { readonly uid?: string } {
  return metadata.uid === undefined ? {} : { uid: metadata.uid };
}

/** The most that the schema allows. */
const mostReplicas = 16;

/**
 * Keys of the DIMSE Services of gateways that are not wanted any more and gone: while one still finishes its series its images must
 * arrive. When its pod goes, the site is written again.
 */
function leftServices(site: DrimboxSite, { config }: GatewayPlan, pods: readonly KubeObject[]): string[] {
  if (config.storage.postgres === undefined) return [];
  const { name, namespace } = site.metadata;
  const running = new Set(pods.map(({ metadata }) => metadata.name));
  return podNames(name, mostReplicas).flatMap((pod, index) =>
    index < (config.replicas ?? 1) || running.has(pod) ? [] : [`${namespace}/${dimseServiceName(name, index)}`],
  );
}

const revisionAnnotation = 'drimbox.dev/revision';

/** A node looks at mounted objects once a minute, and at once when something about the pod changes. */
async function nudge(client: KubeClient, site: DrimboxSite, pod: KubeObject, revision: string): Promise<void> {
  if (pod.metadata.annotations?.[revisionAnnotation] === revision) return;
  try {
    await client.request({
      method: 'PATCH',
      path: pathOf(Pod, site.metadata.namespace, pod.metadata.name),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [revisionAnnotation]: revision } } },
    });
  } catch (error) {
    // Gone meanwhile: the next one starts with the newest files.
    if (!(error instanceof KubeError && error.status === 404)) throw error;
  }
}

export async function writeStatus(applier: Applier, status: ResourceStatus): Promise<Written> {
  const { kind, key, observedGeneration, conditions, fields } = status;
  await breathe();
  const outcome = await applier.applyStatus(kinds[kind], key, { observedGeneration, conditions, ...fields });
  // Deleted meanwhile: nobody asks for its status any more.
  if (outcome.outcome === 'absent') return { done: true };
  return summary([{ what: `status of ${kind} ${key}`, outcome }]);
}

/** The list as it was verified, for the gateways of one namespace; it goes with the last of its sites. */
export function whitelistMaps(
  namespace: string,
  trustSpace: string,
  sites: readonly DrimboxSite[],
  list: Buffer,
): ApplyObject[] {
  // Always in one order: another one would be a change to whoever starts anew.
  const owners = sites.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const ownerReferences = owners.map(({ apiVersion, kind, metadata }): OwnerReference => ({
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
  }));
  return toConfigMaps(whitelistName(trustSpace), { namespace, labels: ownLabels, ownerReferences }, [
    { name: 'whitelist.xml', bytes: list },
  ]);
}

export function plannedMaps(objects: readonly ApplyObject[]): Planned[] {
  return objects.map((object) => ({ kind: ConfigMap, object }));
}
