/** The programs of a single node and how each is started. Pure. */
import { join } from 'node:path';
import { serviceRange } from './configuration.ts';
import type { Layout } from './layout.ts';

export interface Program {
  readonly name: string;
  /** A file that must exist before it starts: without what it stands for the program would end at once. */
  readonly after: string;
  readonly command: readonly string[];
}

const etcd = 'http://127.0.0.1:2379';

/** Made by whoever started the node, when the API server answers. */
export function apiReadyFile({ run }: Layout): string {
  return join(run, 'api.ready');
}

export function programs(layout: Layout): readonly Program[] {
  const { binaries, run, pki, directory, nodeAddress } = layout;
  const after = (file: string) => {
    return (name: string, ...args: readonly string[]): Program => {
      return { name, after: file, command: [join(binaries, name), ...args] };
    };
  };
  const atOnce = after(run);
  const withApi = after(apiReadyFile(layout));
  const withContainerd = after(join(run, 'containerd.sock'));
  const kubeconfig = (user: string): string => `--kubeconfig=${join(run, `${user}.conf`)}`;
  return [
    atOnce('containerd', '-c', join(run, 'containerd.toml')),
    atOnce(
      'etcd',
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      '--listen-peer-urls=http://127.0.0.1:2380',
      '--unsafe-no-fsync',
    ),
    atOnce(
      'kube-apiserver',
      `--etcd-servers=${etcd}`,
      '--secure-port=6443',
      `--advertise-address=${nodeAddress}`,
      `--tls-cert-file=${pki}/apiserver.crt`,
      `--tls-private-key-file=${pki}/apiserver.key`,
      `--client-ca-file=${pki}/ca.crt`,
      `--service-account-key-file=${pki}/sa.key`,
      `--service-account-signing-key-file=${pki}/sa.key`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      `--service-cluster-ip-range=${serviceRange}`,
      `--kubelet-client-certificate=${pki}/admin.crt`,
      `--kubelet-client-key=${pki}/admin.key`,
      '--kubelet-preferred-address-types=InternalIP', // nobody resolves a node's name here
      '--allow-privileged',
    ),
    withApi(
      'kube-controller-manager',
      kubeconfig('controller-manager'),
      `--service-account-private-key-file=${pki}/sa.key`,
      `--root-ca-file=${pki}/ca.crt`,
      '--use-service-account-credentials',
      '--leader-elect=false',
    ),
    withApi('kube-scheduler', kubeconfig('scheduler'), '--leader-elect=false'),
    withApi('kube-proxy', `--config=${join(run, 'proxy.yaml')}`),
    withApi('coredns', '-conf', join(run, 'Corefile')),
    // Without it NetworkPolicies would be words: kube-proxy and the network plugins take no notice of them.
    withApi('network-policies', join(run, 'admin.conf'), 'node', serviceRange),
    withContainerd(
      'kubelet',
      `--config=${join(run, 'kubelet.yaml')}`,
      kubeconfig('kubelet'),
      '--hostname-override=node',
      `--node-ip=${nodeAddress}`,
    ),
  ];
}

/** What the node's first process (node.sh) reads: a line `NAME<TAB>AFTER<TAB>command line`. No word of ours has a blank or a quote in it. */
export function programList(list: readonly Program[]): string {
  for (const word of list.flatMap(({ command }) => command))
    if (!/^[\w@%+=:,./-]+$/.test(word)) throw new Error(`the path of a cluster may hold no blanks nor signs: ${word}`);
  return list.map(({ name, after, command }) => `${name}\t${after}\t${command.join(' ')}\n`).join('');
}
