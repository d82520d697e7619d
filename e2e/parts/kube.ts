/**
 * A real Kubernetes API: etcd and kube-apiserver on loopback with free ports, a folder of its own and an administrator's
 * client certificate. No kubelet: objects are stored and validated, nothing runs.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { ensureKubernetes } from './kubernetes/ensure.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

export interface KubeAnswer {
  readonly status: number;
  /** Kubernetes objects and Status are JSON. */
  readonly body: Record<string, unknown>;
}

export interface KubeEvent {
  readonly type: string;
  readonly object: Record<string, unknown>;
}

export interface Kube {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** An administrator's kubeconfig. */
  readonly kubeconfigFile: string;
  readonly directory: string;
  /** The one that runs now. */
  readonly apiserver: Part;
  readonly etcd: Part;
  /** Kills the API server and starts one again on the same data and port. @param away settles when it may come back */
  restartApiserver(away: () => Promise<void>): Promise<void>;
  /** One request as administrator; never throws for a status. `contentType` and `accept` are JSON unless told. */
  request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    contentType?: string,
    accept?: string,
  ): Promise<KubeAnswer>;
  /** Every change from now on, what is there first; settles when stopped. Begun again when the server ends it. */
  watch(path: string, onEvent: (event: KubeEvent) => void, stop: AbortSignal): Promise<void>;
  /** Installs CRDs and waits until they are served. @throws Error with the API server's words when one is refused */
  installCrds(definitions: readonly object[]): Promise<void>;
  stop(): Promise<void>;
}

/** Ready in about 3 s once the programs are built. */
export async function startKube(): Promise<Kube> {
  try {
    return await startOnce();
  } catch (error) {
    // Between finding a free port and listening on it another test may have taken it: new ports, once more.
    if (error instanceof Error && error.message.includes('address already in use')) return await startOnce();
    throw error;
  }
}

async function startOnce(): Promise<Kube> {
  const binaries = await ensureKubernetes();
  const directory = mkdtempSync(join(tmpdir(), 'drimbox-kube-'));
  const pki = makeCertificates(directory);
  const [clientPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const etcd = await startEtcd(binaries, directory, clientPort, peerPort);
  const agent = new Agent({ connect: { ca: pki.ca, cert: pki.adminCertificate, key: pki.adminKey } });
  const url = `https://127.0.0.1:${apiPort}`;
  const send: Kube['request'] = async (method, path, body, contentType, accept) => {
    const answer = await request(url + path, {
      method,
      dispatcher: agent,
      headers: { accept: accept ?? 'application/json', 'content-type': contentType ?? 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : { message: text } };
  };
  const startServer = async (): Promise<Part> => await startApiserver(binaries, directory, clientPort, apiPort, send);
  let apiserver = await startServer().catch(async (error: unknown) => {
    await etcd.stop();
    throw error;
  });
  return {
    url,
    kubeconfigFile: writeKubeconfig(directory, url),
    directory,
    get apiserver() {
      return apiserver;
    },
    etcd,
    async restartApiserver(away) {
      apiserver.kill('SIGKILL');
      await apiserver.ended;
      await away();
      apiserver = await startServer();
    },
    request: send,
    watch: async (path, onEvent, stop) => await watchFor({ url, agent, path, onEvent, stop }),
    installCrds: async (definitions) => await installCrds(send, definitions),
    async stop() {
      await agent.destroy();
      await apiserver.stop();
      await etcd.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface WatchFor {
  readonly url: string;
  readonly agent: Agent;
  readonly path: string;
  readonly onEvent: (event: KubeEvent) => void;
  readonly stop: AbortSignal;
}

async function watchFor({ url, agent, path, onEvent, stop }: WatchFor): Promise<void> {
  while (!stop.aborted) {
    try {
      const query = `${path.includes('?') ? '&' : '?'}watch=true&resourceVersion=0`;
      const answer = await request(url + path + query, { dispatcher: agent, signal: stop, bodyTimeout: 0 });
      if (answer.statusCode !== 200) throw new Error(`${path}: ${await answer.body.text()}`); // not served yet, or too many
      for await (const line of createInterface({ input: answer.body })) onEvent(JSON.parse(line) as KubeEvent);
    } catch (error) {
      if (stop.aborted) return;
      await sleep(200); // the API server is away or ended it: what is there comes again first
      if (!(error instanceof Error)) throw error;
    }
  }
}

async function startEtcd(binaries: string, directory: string, client: number, peer: number): Promise<Part> {
  const clientUrl = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  return await startProcess({
    name: 'etcd',
    command: join(binaries, 'etcd'),
    args: [
      '--data-dir',
      join(directory, 'etcd'),
      '--unsafe-no-fsync',
      '--listen-client-urls',
      clientUrl,
      '--advertise-client-urls',
      clientUrl,
      '--listen-peer-urls',
      peerUrl,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--initial-cluster',
      `default=${peerUrl}`,
    ],
    logFile: join(directory, 'etcd.log'),
    ready: async () => (await fetch(`${clientUrl}/readyz`)).ok,
  });
}

async function startApiserver(
  binaries: string,
  directory: string,
  etcdPort: number,
  port: number,
  send: Kube['request'],
): Promise<Part> {
  const pki = join(directory, 'pki');
  return await startProcess({
    name: 'kube-apiserver',
    command: join(binaries, 'kube-apiserver'),
    args: [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--service-cluster-ip-range=10.96.0.0/16',
      // A site's Service for its PACS takes three; the usual range has 2768.
      '--service-node-port-range=20000-32767',
      `--tls-cert-file=${pki}/apiserver.crt`,
      `--tls-private-key-file=${pki}/apiserver.key`,
      `--client-ca-file=${pki}/ca.crt`,
      `--service-account-key-file=${pki}/sa.key`,
      `--service-account-signing-key-file=${pki}/sa.key`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--authorization-mode=RBAC',
      '--allow-privileged',
      // The service-account controller does not run here, and pods would wait for it.
      '--disable-admission-plugins=ServiceAccount',
    ],
    logFile: join(directory, 'apiserver.log'),
    readyTimeoutMs: 90_000,
    ready: async () => (await send('GET', '/readyz')).status === 200,
  });
}

interface Certificates {
  readonly ca: string;
  readonly adminCertificate: string;
  readonly adminKey: string;
}

function makeCertificates(directory: string): Certificates {
  const cwd = join(directory, 'pki');
  mkdirSync(cwd);
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test-kube-ca', '-days', '2');
  const issue = (name: string, subject: string, extra: string): void => {
    writeFileSync(join(cwd, `${name}.ext`), extra);
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...ca, '-out', `${name}.crt`, '-extfile', `${name}.ext`);
  };
  issue(
    'apiserver',
    '/CN=kube-apiserver',
    'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  issue('admin', '/O=system:masters/CN=admin', 'extendedKeyUsage=clientAuth\n');
  openssl('genrsa', '-out', 'sa.key', '2048');
  const read = (name: string): string => readFileSync(join(cwd, name), 'utf8');
  return { ca: read('ca.crt'), adminCertificate: read('admin.crt'), adminKey: read('admin.key') };
}

function writeKubeconfig(directory: string, server: string): string {
  const pki = join(directory, 'pki');
  const file = join(directory, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': join(pki, 'ca.crt') } }],
    users: [
      { name: 'admin', user: { 'client-certificate': join(pki, 'admin.crt'), 'client-key': join(pki, 'admin.key') } },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  };
  writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}

async function installCrds(send: Kube['request'], definitions: readonly object[]): Promise<void> {
  const base = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  for (const definition of definitions) {
    const made = await send('POST', `${base}?fieldValidation=Strict`, definition);
    if (made.status !== 201) throw new Error(`CRD refused: ${JSON.stringify(made.body, undefined, 2)}`);
    const { name } = made.body['metadata'] as { readonly name: string };
    await established(send, `${base}/${name}`);
  }
}

interface Conditions {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[] | null;
}

/** Established, and without NonStructuralSchema. */
async function established(send: Kube['request'], path: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const status = ((await send('GET', path)).body['status'] ?? {}) as Conditions;
    const conditions = status.conditions ?? []; // null until first looked at
    const broken = conditions.find((c) => c.type === 'NonStructuralSchema' && c.status === 'True');
    if (broken !== undefined) throw new Error(`${path}: ${broken.message}`);
    if (conditions.some((c) => c.type === 'Established' && c.status === 'True')) return;
    await sleep(50);
  }
  throw new Error(`${path} is not established after 10 s`);
}
