/** The files a single node's programs read, as text by name. Pure. JSON where a program reads YAML. */
import { join } from 'node:path';
import type { User } from './certificates.ts';
import type { Layout } from './layout.ts';

export const podRange = '10.244.0.0/24';
export const serviceRange = '10.96.0.0/16';
export const pauseImage = 'drimbox.dev/pause:1';
export const volumes = 8;

/** Text by file name, all under `run`. */
export function configurationFiles(layout: Layout): Readonly<Record<string, string>> {
  const users: readonly User[] = ['admin', 'kubelet', 'controller-manager', 'scheduler', 'proxy'];
  return {
    ...Object.fromEntries(users.map((user) => [`${user}.conf`, json(kubeconfig(layout, user))])),
    'containerd.toml': containerd(layout),
    'cni/10-pods.conflist': json(podNetwork()),
    'kubelet.yaml': json(kubelet(layout)),
    'proxy.yaml': json(proxy(layout)),
    Corefile: corefile(layout),
    hosts: '',
  };
}

const json = (value: unknown): string => JSON.stringify(value, undefined, 2);

function kubeconfig({ pki, nodeAddress }: Layout, user: User): object {
  const credentials = { 'client-certificate': join(pki, `${user}.crt`), 'client-key': join(pki, `${user}.key`) };
  const server = `https://${nodeAddress}:6443`;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'node', cluster: { server, 'certificate-authority': join(pki, 'ca.crt') } }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: 'node', context: { cluster: 'node', user } }],
    'current-context': 'node',
  };
}

function containerd({ directory, run, binaries }: Layout): string {
  return `version = 3
root = "${directory}/containerd"
state = "/run/containerd/state"
[grpc]
  address = "${run}/containerd.sock"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true   # CAP_SYS_RESOURCE is missing on some machines
  disable_apparmor = true
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["${binaries}/cni"]
    conf_dir = "${run}/cni"
`;
}

/**
 * Each pod on a veth of its own, routed by the node. On a bridge two pods would answer each other past the node's rules (and the
 * answer of a Service would come from an address nobody asked) wherever the kernel does not show bridged packets to iptables.
 */
function podNetwork(): object {
  const ipam = { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] };
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      { type: 'ptp', ipMasq: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function kubelet({ run, pki, dnsServiceAddress, cgroup }: Layout): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false, // cgroup v1 is what some test machines mount
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failSwapOn: false,
    oomScoreAdj: 0,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    containerRuntimeEndpoint: `unix://${run}/containerd.sock`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(pki, 'kubelet.crt'),
    tlsPrivateKeyFile: join(pki, 'kubelet.key'),
    clusterDNS: [dnsServiceAddress],
    clusterDomain: 'cluster.local',
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100, // a test's images must stay, however full the disk
    resolvConf: '',
    // Secrets and ConfigMaps are seen by pods as soon as they change, not after a minute.
    configMapAndSecretChangeDetectionStrategy: 'Watch',
    syncFrequency: '5s',
  };
}

function proxy({ run }: Layout): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: join(run, 'proxy.conf') },
    mode: 'iptables',
    clusterCIDR: podRange,
    conntrack: { maxPerCore: 0 },
    hostnameOverride: 'node',
  };
}

function corefile({ run, nodeAddress }: Layout): string {
  return `.:53 {
  bind ${nodeAddress}
  errors
  hosts ${run}/hosts {
    ttl 1
    reload 200ms
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${run}/admin.conf
    ttl 1
  }
}
`;
}
