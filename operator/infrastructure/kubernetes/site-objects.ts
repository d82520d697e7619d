/** Everything a site is made of on a cluster, in the order in which it is applied. Pure: plan and resources in, objects out. */
import type { DrimboxSite, PacsLink, TrustSpace } from '../../api/types.generated.ts';
import type { GatewayPlan, PlannedFile } from '../../plan/gateway-plan.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import {
  ConfigMap,
  NetworkPolicy,
  type OwnerReference,
  PersistentVolumeClaim,
  type ResourceKind,
  Secret,
  Service,
  StatefulSet,
} from '../../resources/kubernetes/resource-kind.ts';
import { toConfigMaps } from './config-maps.ts';
import type { Json } from './json.ts';
import { internalServiceName, labelsOf, nameLabel, podPorts, siteLabel, workloadName } from './names.ts';
import { type SystemNamespace, networkPolicySpec } from './network-policy.ts';
import { podTemplate } from './pod.ts';

export interface Planned {
  readonly kind: ResourceKind;
  readonly object: ApplyObject;
}

export interface WorkloadSettings {
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly imagePullSecrets: readonly string[];
  readonly system: SystemNamespace;
}

export interface SiteInput {
  readonly site: DrimboxSite;
  readonly trust: TrustSpace;
  readonly links: readonly PacsLink[];
  readonly plan: GatewayPlan;
  /** The plan before: its files stay until the next one, a pod may not have turned to the new ones yet. */
  readonly former?: GatewayPlan;
  readonly settings: WorkloadSettings;
}

/** @throws Error when the public files are too many for ConfigMaps */
export function siteObjects(input: SiteInput): Planned[] {
  const { site, settings, plan } = input;
  const { name, namespace } = site.metadata;
  const workload = workloadName(name);
  const metadata = metadataOf(site);
  const files = allFiles(input);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, name: workload },
    type: 'Opaque',
    data: Object.fromEntries(
      files.filter((file) => file.secret).map((file) => [file.name, Buffer.from(file.content).toString('base64')]),
    ),
  };
  const documents = [
    // First, so that it stands in the first ConfigMap; the Secret it refers to is applied before it.
    { name: 'config.json', bytes: Buffer.from(`${JSON.stringify(plan.config, undefined, 2)}\n`) },
    ...files.filter((file) => !file.secret).map((file) => ({ name: file.name, bytes: Buffer.from(file.content) })),
  ];
  return [
    { kind: PersistentVolumeClaim, object: claim(site) },
    { kind: Secret, object: secret },
    ...toConfigMaps(workload, metadata, documents)
      .toReversed()
      .map((object) => ({ kind: ConfigMap, object })),
    ...servicesOf(site),
    {
      kind: NetworkPolicy,
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { ...metadata, name: workload },
        spec: networkPolicySpec(site, input.links, input.trust, settings.system),
      },
    },
    { kind: StatefulSet, object: statefulSet(input, namespace) },
  ];
}

/** Known before a gateway can be planned: the ingress reaches it by the address that the cluster gives to its Service. */
export function servicesOf(site: DrimboxSite): Planned[] {
  const { name } = site.metadata;
  const metadata = metadataOf(site);
  const selector = { [nameLabel]: 'drimbox-gateway', [siteLabel]: name };
  const port = (target: keyof typeof podPorts, shown: number, nodePort?: number): Json => ({
    name: target,
    port: shown,
    protocol: 'TCP',
    targetPort: target,
    ...(nodePort !== undefined && { nodePort }),
  });
  const { service, mllp, dimse } = site.spec;
  const nodePorts = service.type === 'NodePort' ? service : undefined;
  return [
    {
      kind: Service,
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { ...metadata, name: internalServiceName(name) },
        spec: {
          type: 'ClusterIP',
          selector,
          ports: (['wado', 'viewer', 'admin'] as const).map((target) => port(target, podPorts[target])),
        },
      },
    },
    {
      kind: Service,
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          ...metadata,
          name: workloadName(name),
          ...(service.annotations !== undefined && { annotations: service.annotations }),
        },
        spec: {
          type: service.type,
          selector,
          // Who calls is what network.sources judges: the caller's address must arrive. A port on every node can't promise that
          // and still reach a pod that is on another one.
          ...(service.type === 'LoadBalancer' && { externalTrafficPolicy: 'Local' }),
          ...(service.type === 'LoadBalancer' &&
            service.loadBalancerClass !== undefined && { loadBalancerClass: service.loadBalancerClass }),
          ports: [
            port('mllp', mllp.port, nodePorts?.mllpNodePort),
            port('dimse', dimse.port, nodePorts?.dimseNodePort),
          ],
        },
      },
    },
  ];
}

interface SiteMetadata {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
}

function metadataOf(site: DrimboxSite): SiteMetadata {
  const { name, namespace } = site.metadata;
  return { namespace, labels: labelsOf(name), ownerReferences: [ownerOf(site)] };
}

export function ownerOf({ apiVersion, kind, metadata }: DrimboxSite): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}

/** Own object, so that it can grow; without an owner it outlives its site, and a site of the same name finds it (whenDeleted). */
function claim(site: DrimboxSite): ApplyObject {
  const { sizeGiB, storageClassName, whenDeleted } = site.spec.storage;
  const { name, namespace } = site.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      namespace,
      name: `${workloadName(name)}-data`,
      labels: labelsOf(name),
      ...(whenDeleted === 'Delete' && { ownerReferences: [ownerOf(site)] }),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: `${sizeGiB}Gi` } },
      ...(storageClassName !== undefined && { storageClassName }),
    },
  };
}

function allFiles({ plan, former }: SiteInput): PlannedFile[] {
  const own = new Set(plan.files.map(({ name }) => name));
  return [...plan.files, ...(former?.files ?? []).filter(({ name }) => !own.has(name))];
}

function statefulSet({ site, settings }: SiteInput, namespace: string): ApplyObject {
  const { name } = site.metadata;
  const { image, imagePullPolicy, imagePullSecrets } = settings;
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...metadataOf(site), namespace, name: workloadName(name) },
    spec: {
      // One: its archive is a file on a volume of one node, and two writers would be two DRIMboxes under one name.
      replicas: 1,
      serviceName: internalServiceName(name),
      // With one pod there is no order to keep. OrderedReady would wait for ever for a pod that can't start, also once the mistake is mended.
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { [nameLabel]: 'drimbox-gateway', [siteLabel]: name } },
      updateStrategy: { type: 'RollingUpdate' },
      template: podTemplate({
        siteName: name,
        trustSpace: site.spec.trustSpace,
        image,
        imagePullPolicy,
        imagePullSecrets,
        ...site.spec.resources,
      }),
    },
  };
}
