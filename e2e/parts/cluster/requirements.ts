/** What a cluster needs of the machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package by program. */
const packages = {
  runc: 'runc',
  iptables: 'iptables',
  ipset: 'ipset',
  conntrack: 'conntrack',
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  openssl: 'openssl',
  bash: 'bash',
} as const;

/** Why no cluster can run here and what to do; undefined when one can. */
export function whyNoCluster(): string | undefined {
  if (process.getuid?.() !== 0)
    return 'a Kubernetes node needs root: it makes network namespaces, cgroups and mounts; run as root, or with sudo';
  const folders = (process.env['PATH'] ?? '').split(':');
  const missing = Object.entries(packages).filter(
    ([name]) => !folders.some((folder) => existsSync(join(folder, name))),
  );
  if (missing.length === 0) return undefined;
  const names = [...new Set(missing.map(([, name]) => name))].join(' ');
  return (
    `a Kubernetes node needs ${missing.map(([name]) => name).join(', ')}: ` +
    `apt-get install -y --no-install-recommends ${names}`
  );
}
