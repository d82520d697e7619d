/** How a site is reached on a cluster. Pure. */
import type { DrimboxSite } from '../../api/types.generated.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import { Service } from '../../resources/kubernetes/resource-kind.ts';
import type { Json } from './json.ts';
import { dimseServiceName, internalServiceName, podIndexLabel, podPorts, selectorOf, workloadName } from './names.ts';
import type { Planned } from './planned.ts';
import { metadataOf } from './site-metadata.ts';

/**
 * Known before a gateway can be planned: the ingress reaches it by the address that the cluster gives to its Service. A RIS may speak
 * to any gateway; images must reach the one that asked for them. Where there may be several, each has a DIMSE Service of its own from
 * the first on, so that another one moves no address that stands in a PACS.
 */
export function servicesOf(site: DrimboxSite): Planned[] {
  const { name } = site.metadata;
  const { service, mllp, dimse, storage, replicas } = site.spec;
  const nodePorts = service.type === 'NodePort' ? service : undefined;
  const mllpPort = port('mllp', mllp.port, nodePorts?.mllpNodePort);
  const internal = {
    kind: Service,
    object: object(site, internalServiceName(name), {
      type: 'ClusterIP',
      selector: selectorOf(name),
      ports: (['wado', 'viewer', 'admin'] as const).map((target) => port(target, podPorts[target])),
    }),
  };
  if (storage.postgres === undefined)
    return [internal, outer(site, workloadName(name), [mllpPort, port('dimse', dimse.port, nodePorts?.dimseNodePort)])];
  const dimseServices = Array.from({ length: replicas }, (_, index) => {
    const first = nodePorts?.dimseNodePort;
    const own = port('dimse', dimse.port, first === undefined ? undefined : first + index);
    return outer(site, dimseServiceName(name, index), [own], index);
  });
  return [internal, outer(site, workloadName(name), [mllpPort]), ...dimseServices];
}

function port(target: keyof typeof podPorts, shown: number, nodePort?: number): Json {
  return {
    name: target,
    port: shown,
    protocol: 'TCP',
    targetPort: target,
    ...(nodePort !== undefined && { nodePort }),
  };
}

/** For RIS and PACS, as the site says. @param index of the only gateway it leads to */
function outer(site: DrimboxSite, serviceName: string, ports: readonly Json[], index?: number): Planned {
  const { service } = site.spec;
  const balanced = service.type === 'LoadBalancer';
  const made = object(site, serviceName, {
    type: service.type,
    selector: {
      ...selectorOf(site.metadata.name),
      ...(index !== undefined && { [podIndexLabel]: String(index) }),
    },
    // No other has these titles: while this one ends, the images of its series still go to it.
    ...(index !== undefined && { publishNotReadyAddresses: true }),
    // Who calls is what network.sources judges: the caller's address must arrive. A port on every node can't promise that
    // and still reach a pod that is on another one.
    ...(balanced && { externalTrafficPolicy: 'Local' }),
    ...(balanced && service.loadBalancerClass !== undefined && { loadBalancerClass: service.loadBalancerClass }),
    ...(balanced && !service.allocateNodePorts && { allocateLoadBalancerNodePorts: false }),
    ports,
  });
  const annotations = { ...service.annotations, ...(index !== undefined && service.dimseAnnotations?.[index]) };
  if (Object.keys(annotations).length === 0) return { kind: Service, object: made };
  return { kind: Service, object: { ...made, metadata: { ...made.metadata, annotations } } };
}

function object(site: DrimboxSite, name: string, spec: Json): ApplyObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { ...metadataOf(site), name }, spec };
}
