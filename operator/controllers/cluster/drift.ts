/** Which writings put right an object of ours that changed or went. Pure. */
import { managedBy, managerLabel, siteLabel } from '../../infrastructure/kubernetes/names.ts';
import type { Change } from '../../resources/kubernetes/reflector.ts';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';
import { authoritySecret, proxySecret } from './internal-identities.ts';
import { documentLabel, replicaLabel } from './watches.ts';

/** The operator's own. */
const ownSecrets: Readonly<Record<string, string>> = {
  [authoritySecret]: 'own authority',
  [proxySecret]: 'own proxy',
};

/**
 * Keys of the writer's queue. What we wrote ourselves comes back too: the applier sees that it is as it should be, and asks nobody.
 * @param lists keys `NAMESPACE TRUSTSPACE` of whitelists that are published
 */
export function writingsFor({ type, object, former }: Change<KubeObject>, lists: Iterable<string>): string[] {
  const { labels = {}, namespace = '' } = type === 'deleted' ? object.metadata : (former ?? object).metadata;
  if (type === 'added' || labels[managerLabel] !== managedBy) return [];
  // A status that moves is nobody's drift; ConfigMaps and Secrets have no generation.
  const { generation } = object.metadata;
  if (
    type === 'modified' &&
    generation !== undefined &&
    generation === former?.metadata.generation &&
    isKept(object, former)
  )
    return [];
  const site = labels[siteLabel];
  if (site !== undefined) return [`site ${namespace}/${site}`];
  const own = object.kind === 'Secret' ? ownSecrets[object.metadata.name] : undefined;
  if (own !== undefined) return [own];
  if (labels[documentLabel] !== undefined || labels[replicaLabel] !== undefined) return [];
  return [...lists].filter((list) => list.startsWith(`${namespace} `)).map((list) => `whitelist ${list}`);
}

/** Labels and owners are ours too, and change without a new generation. */
function isKept(object: KubeObject, former: KubeObject | undefined): boolean {
  const said = ({ metadata }: KubeObject): string => JSON.stringify([metadata.labels, metadata.ownerReferences]);
  return former !== undefined && said(object) === said(former);
}
