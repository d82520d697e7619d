/** Which changes in the cluster are worth a round. */
import { keyOf } from '../../resources/kubernetes/client.ts';
import type { Change } from '../../resources/kubernetes/reflector.ts';
import {
  ConfigMap,
  DrimboxSite,
  type KubeObject,
  PacsLink,
  Pod,
  type ResourceKind,
  Secret,
  Service,
  TrustSpace,
} from '../../resources/kubernetes/resource-kind.ts';
import { memoryLabel, replicaLabel } from './watches.ts';

const always = new Set([TrustSpace, DrimboxSite, PacsLink, Service, Pod].map(({ plural }) => plural));

/**
 * Whether a change is worth a round: of Secrets and ConfigMaps only those that are named, or that remember something.
 * @param named whether a resource names the Secret or ConfigMap with this key
 */
export function isNews(
  kind: ResourceKind,
  { object, former, type }: Change<KubeObject>,
  named: (key: string) => boolean,
): boolean {
  if (type === 'modified' && object.metadata.resourceVersion === former?.metadata.resourceVersion) return false;
  if (kind.plural === Secret.plural || kind.plural === ConfigMap.plural)
    return (
      object.metadata.labels?.[memoryLabel] !== undefined ||
      object.metadata.labels?.[replicaLabel] !== undefined ||
      named(keyOf(object))
    );
  return always.has(kind.plural) || type === 'deleted' || drifted(object, former);
}

/** Of what we made, a status that moves is nobody's drift. */
function drifted({ metadata }: KubeObject, former: KubeObject | undefined): boolean {
  return former !== undefined && metadata.generation !== former.metadata.generation;
}
