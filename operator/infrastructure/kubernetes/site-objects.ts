/** Everything a site is made of on a cluster, in the order in which it is applied. Pure: plan and resources in, objects out. */
import type { DrimboxSite, PacsLink, TrustSpace } from '../../api/types.generated.ts';
import type { GatewayPlan, PlannedFile } from '../../plan/gateway-plan.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import {
  ConfigMap,
  NetworkPolicy,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  Secret,
  StatefulSet,
} from '../../resources/kubernetes/resource-kind.ts';
import { toConfigMaps } from './config-maps.ts';
import { internalServiceName, labelsOf, selectorOf, workloadName } from './names.ts';
import { type SystemNamespace, networkPolicySpec } from './network-policy.ts';
import type { Planned } from './planned.ts';
import { podTemplate } from './pod.ts';
import { servicesOf } from './services.ts';
import { metadataOf, ownerOf } from './site-metadata.ts';

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
  /** Files of the plan before that the plan has no more: they stay until the next one, a pod may not have turned to the new ones yet. */
  readonly former?: Pick<GatewayPlan, 'files'>;
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
  const shared = site.spec.storage.postgres !== undefined;
  return [
    ...(shared ? [] : [{ kind: PersistentVolumeClaim, object: claim(site) }]),
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
    ...(shared ? [{ kind: PodDisruptionBudget, object: disruptionBudget(site) }] : []),
    { kind: StatefulSet, object: statefulSet(input, namespace) },
  ];
}

/** One gateway at a time may be evicted. It is there with one gateway too, which it holds up nowhere: so another one changes nothing here. */
function disruptionBudget(site: DrimboxSite): ApplyObject {
  const { name } = site.metadata;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { ...metadataOf(site), name: workloadName(name) },
    spec: {
      maxUnavailable: 1,
      // One that does not serve keeps no node from being drained.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorOf(name) },
    },
  };
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
  return [...plan.files, ...(former?.files ?? [])];
}

function statefulSet({ site, plan, settings }: SiteInput, namespace: string): ApplyObject {
  const { name } = site.metadata;
  const shared = site.spec.storage.postgres !== undefined;
  const { image, imagePullPolicy, imagePullSecrets } = settings;
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...metadataOf(site), namespace, name: workloadName(name) },
    spec: {
      // One without a database that they share (a rule of the CRD): two writers would be two DRIMboxes under one name.
      replicas: plan.config.replicas ?? 1,
      serviceName: internalServiceName(name),
      // There is no order to keep; changes still go from one pod to the next. OrderedReady would wait for ever for a pod that can't start, also once the mistake is mended.
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: selectorOf(name) },
      updateStrategy: { type: 'RollingUpdate' },
      // The next one goes only when the one before has found its database and stayed.
      ...(shared && { minReadySeconds: 10 }),
      template: podTemplate({
        siteName: name,
        trustSpace: site.spec.trustSpace,
        image,
        imagePullPolicy,
        imagePullSecrets,
        sharedArchive: shared,
        ...site.spec.resources,
      }),
    },
  };
}
