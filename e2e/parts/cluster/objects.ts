/** What is in every cluster from the start, as Kubernetes objects. Pure. */
import { join } from 'node:path';
import { volumes } from './configuration.ts';
import type { Layout } from './layout.ts';

export interface Seed {
  /** Collection to POST to. */
  readonly path: string;
  readonly object: object;
}

/** The name service of the pods, and volumes to claim (class `local`, the default). */
export function seeds(layout: Layout): readonly Seed[] {
  return [
    ...nameService(layout),
    storageClass,
    ...Array.from({ length: volumes }, (_, index) => volume(layout, index)),
  ];
}

/** CoreDNS runs beside the kubelet, so its Service names its address itself. */
function nameService({ nodeAddress, dnsServiceAddress }: Layout): Seed[] {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  return [
    {
      path: '/api/v1/namespaces/kube-system/services',
      object: { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: dnsServiceAddress, ports } },
    },
    {
      path: '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices',
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
        addressType: 'IPv4',
        ports,
        endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
      },
    },
  ];
}

const storageClass: Seed = {
  path: '/apis/storage.k8s.io/v1/storageclasses',
  object: {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'Immediate',
  },
};

/** A folder of the cluster's; fsGroup is not applied to it, so single-node.ts leaves it open to every user. */
function volume({ directory }: Layout, index: number): Seed {
  const object = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `local-${index}` },
    spec: {
      capacity: { storage: '100Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: join(directory, 'volumes', String(index)) },
    },
  };
  return { path: '/api/v1/persistentvolumes', object };
}
