/** The cluster's certificate authority and the certificates of its programs, by openssl, for two days. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Layout } from './layout.ts';

const run = promisify(execFile);

/** Users by the name of their certificate: what Kubernetes' own roles know them as. */
const subjects = {
  apiserver: '/CN=kube-apiserver',
  admin: '/O=system:masters/CN=admin',
  kubelet: '/O=system:nodes/CN=system:node:node',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  proxy: '/CN=system:kube-proxy',
} as const;

export type User = keyof typeof subjects;

export async function makeCertificates({ pki, nodeAddress, apiServiceAddress }: Layout): Promise<void> {
  mkdirSync(pki, { recursive: true });
  const openssl = async (...args: readonly string[]): Promise<void> => void (await run('openssl', args, { cwd: pki }));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names: Partial<Record<User, string>> = {
    apiserver: `IP:127.0.0.1,IP:${nodeAddress},IP:${apiServiceAddress},DNS:kubernetes.default.svc,DNS:localhost`,
    kubelet: `IP:${nodeAddress},DNS:node`,
  };
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=node-ca', '-days', '2');
  await openssl('genrsa', '-out', 'sa.key', '2048');
  for (const [name, subject] of Object.entries(subjects)) {
    const alternative = names[name as User];
    const extensions = `extendedKeyUsage=serverAuth,clientAuth\n${alternative ? `subjectAltName=${alternative}\n` : ''}`;
    writeFileSync(join(pki, `${name}.ext`), extensions);
    await openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-out', `${name}.crt`, '-extfile', `${name}.ext`);
  }
}
