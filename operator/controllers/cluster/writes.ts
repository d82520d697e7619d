/** What each key of the writer's queue stands for, and how it is written. */
import { toConfigMaps } from '../../infrastructure/kubernetes/config-maps.ts';
import { ownLabels, whitelistName } from '../../infrastructure/kubernetes/names.ts';
import {
  type Planned,
  type WorkloadSettings,
  servicesOf,
  siteObjects,
} from '../../infrastructure/kubernetes/site-objects.ts';
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
  TrustSpace as TrustKind,
  pathOf,
} from '../../resources/kubernetes/resource-kind.ts';
import { type Written, summary } from './writer.ts';

export interface DesiredSite {
  readonly site: DrimboxSite;
  readonly trust: TrustSpace | undefined;
  readonly links: readonly PacsLink[];
  /** Absent: only its Services are to be there, or what it has is to stay. */
  readonly plan?: GatewayPlan;
  readonly former?: GatewayPlan;
  /** What to remember of it. */
  readonly memory?: ApplyObject;
}

export interface WriteDeps {
  readonly client: KubeClient;
  readonly applier: Applier;
  readonly settings: WorkloadSettings;
  /** The pod of a site, when there is one. */
  readonly podOf: (site: string) => KubeObject | undefined;
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
    outcomes.push({ what: `${kind.kind} ${namespace ?? ''}/${name}`, outcome });
    // What comes later may name it.
    if ('message' in outcome) break;
  }
  return summary(outcomes);
}

/** Memory first: what is not remembered must not be in force. */
export async function writeSite(
  desired: DesiredSite,
  { client, applier, settings, podOf }: WriteDeps,
): Promise<Written> {
  const { site, trust, links, plan, former, memory } = desired;
  const remembered: Planned[] = memory === undefined ? [] : [{ kind: Secret, object: memory }];
  const rest =
    plan === undefined || trust === undefined
      ? servicesOf(site)
      : siteObjects({ site, trust, links, plan, ...(former !== undefined && { former }), settings });
  const written = await writeObjects(applier, [...remembered, ...rest]);
  if (written.done && plan !== undefined)
    await nudge(client, site, podOf(`${site.metadata.namespace}/${site.metadata.name}`), plan.config.revision);
  return written;
}

const revisionAnnotation = 'drimbox.dev/revision';

/** A node looks at mounted objects once a minute, and at once when something about the pod changes. */
async function nudge(
  client: KubeClient,
  site: DrimboxSite,
  pod: KubeObject | undefined,
  revision: string,
): Promise<void> {
  if (pod === undefined || pod.metadata.annotations?.[revisionAnnotation] === revision) return;
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
