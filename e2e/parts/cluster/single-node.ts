/**
 * A real Kubernetes of one node: etcd, API server, controller manager, scheduler, kubelet, containerd, kube-proxy, CoreDNS and what
 * enforces NetworkPolicies, in network, mount and process namespaces of their own. Several can run at once. When its first process ends,
 * or the process that started it, the kernel ends everything in it, pods included; what remains of a killed run is removed at the next
 * start.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Kube } from '../kube.ts';
import { ensureKubernetes } from '../kubernetes/ensure.ts';
import { type Part, startProcess } from '../process.ts';
import { type Api, openApi } from './api.ts';
import { makeCertificates } from './certificates.ts';
import { type Claim, claimPlace } from './claim.ts';
import { configurationFiles, volumes } from './configuration.ts';
import { type Layout, layoutOf } from './layout.ts';
import { makeCgroups, removeCgroups, removeLeftovers } from './leftovers.ts';
import { seeds } from './objects.ts';
import { makePauseImage } from './pause-image.ts';
import { apiReadyFile, programList, programs } from './programs.ts';
import { whyNoCluster } from './requirements.ts';

const run = promisify(execFile);

export interface Cluster {
  /** An administrator's; its server is reached from the host. */
  readonly kubeconfigFile: string;
  readonly directory: string;
  /** Folder of kubectl and the other programs. */
  readonly binaries: string;
  /** Reached from the host: NodePorts and the API server (6443). */
  readonly nodeAddress: string;
  /** How pods reach a program of the host that listens on this address (or on all). */
  readonly hostAddress: string;
  /** Its network namespace. */
  readonly name: string;
  readonly request: Kube['request'];
  /** Standard output. @throws Error with what it printed to standard error when it fails */
  kubectl(...args: readonly string[]): Promise<string>;
  /** As `kubectl`, with `input` on standard input (`apply -f -`). */
  kubectlWith(input: string, ...args: readonly string[]): Promise<string>;
  /** Standard output. Built at its first use (2 min). @throws Error with its words when it fails */
  helm(...args: readonly string[]): Promise<string>;
  /** Makes an OCI archive's image known; pods name it with `imagePullPolicy: Never` or `IfNotPresent`. */
  importImage(archive: string): Promise<void>;
  /** Gives an image of the node another name beside its own. */
  nameImage(reference: string, another: string): Promise<void>;
  /** Runs a program of this host in the node's network: `iptables`, `conntrack`. Standard output. */
  inNetwork(program: string, ...args: readonly string[]): Promise<string>;
  /** Pods resolve these names from now on (within a second), each to its address. Replaces those given before. */
  setHosts(addresses: Readonly<Record<string, string>>): void;
  /** Until the node is Ready and every namespace has its service account. @throws Error naming the program that ended, with its log */
  waitReady(): Promise<void>;
  /** The end of each program's log. */
  logs(lines?: number): string;
  /** Ends everything and removes everything. */
  stop(): Promise<void>;
}

/**
 * Ready in about 15 s, once the programs are built (ensureKubernetes).
 * @param options.images OCI archives to import; `directory` an empty or absent folder to keep (default: temporary, removed by `stop`)
 * @throws Error when the machine can't (root, Debian packages), or a program ends, with its log
 */
export async function startCluster(options: {
  readonly images: readonly string[];
  readonly directory?: string;
}): Promise<Cluster> {
  const reason = whyNoCluster();
  if (reason !== undefined) throw new Error(reason);
  const binaries = await ensureKubernetes([
    'etcd',
    'kube-apiserver',
    'kubectl',
    'kube-controller-manager',
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
    'containers',
    'coredns',
    'network-policies',
    'pause',
  ]);
  removeLeftovers();
  const place = await claimPlace();
  const directory = options.directory ?? join(tmpdir(), place.name);
  const layout = layoutOf(directory, binaries, place);
  const opened: { node?: Part; api?: Api } = {};
  const stop = async (): Promise<void> =>
    await end(opened, place, options.directory === undefined ? directory : undefined);
  try {
    const list = programList(programs(layout));
    await writeFolder(layout, list);
    makeCgroups(place.name);
    opened.node = await startNode(layout, place);
    opened.api = openApi(layout);
    const cluster = toCluster(layout, place, opened.api, stop);
    await Promise.all([
      importAll(layout, [makePauseImage(layout.run, binaries), ...options.images]),
      served(layout, cluster.request).then(async () => await plant(layout, cluster.request)),
    ]);
    await cluster.waitReady();
    return cluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeFolder(layout: Layout, list: string): Promise<void> {
  for (const folder of [layout.run, layout.log, join(layout.run, 'cni')]) mkdirSync(folder, { recursive: true });
  for (let index = 0; index < volumes; index += 1) {
    const folder = join(layout.directory, 'volumes', String(index));
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o777); // fsGroup is not applied to host paths
  }
  for (const [name, text] of Object.entries(configurationFiles(layout)))
    writeFileSync(join(layout.run, name), text, { mode: 0o600 });
  writeFileSync(join(layout.run, 'programs'), list);
  await makeCertificates(layout);
}

async function startNode(layout: Layout, place: Claim): Promise<Part> {
  const socket = join(layout.run, 'containerd.sock');
  return await startProcess({
    name: 'node',
    command: 'unshare',
    args: [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--',
      join(import.meta.dirname, 'node.sh'),
      layout.directory,
      layout.binaries,
    ],
    networkNamespace: place.name,
    logFile: join(layout.log, 'node.log'),
    ready: () => existsSync(socket),
  });
}

async function importAll(layout: Layout, archives: readonly string[]): Promise<void> {
  for (const archive of archives) {
    const socket = join(layout.run, 'containerd.sock');
    await run(join(layout.binaries, 'ctr'), ['-a', socket, '-n', 'k8s.io', 'images', 'import', archive]);
  }
}

async function served(layout: Layout, request: Kube['request']): Promise<void> {
  await until(layout, 'the API server is served', async () => (await request('GET', '/readyz')).status === 200);
  writeFileSync(apiReadyFile(layout), '');
}

async function plant(layout: Layout, request: Kube['request']): Promise<void> {
  for (const { path, object } of seeds(layout)) {
    const made = await request('POST', path, object);
    if (made.status !== 201) throw new Error(`${path}: ${JSON.stringify(made.body)}`);
  }
}

interface Conditions {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

async function nodeIsReady(request: Kube['request']): Promise<boolean> {
  const node = await request('GET', '/api/v1/nodes/node');
  const { conditions } = (node.body['status'] ?? {}) as Conditions;
  if (conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') !== true) return false;
  return (await request('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200;
}

/** Polls until true; throwing counts as not yet, a program that ended does not. */
async function until(layout: Layout, what: string, check: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt += 1) {
    const ended = readdirSync(layout.run).find((name) => name.endsWith('.ended'));
    if (ended !== undefined) {
      const name = ended.slice(0, -'.ended'.length);
      throw new Error(`${name} ended before ${what}:\n${tail(join(layout.log, `${name}.log`), 20)}`);
    }
    try {
      if (await check()) return;
    } catch (error) {
      if (attempt === 1_199) throw error; // until then: it does not listen yet
    }
    await sleep(100);
  }
  throw new Error(`not before two minutes: ${what}\n${logsOf(layout, 10)}`);
}

function toCluster(layout: Layout, place: Claim, api: Api, stop: () => Promise<void>): Cluster {
  const kubeconfigFile = join(layout.run, 'admin.conf');
  const kubectlWith: Cluster['kubectlWith'] = async (input, ...args) => {
    const child = run(join(layout.binaries, 'kubectl'), ['--kubeconfig', kubeconfigFile, ...args], { maxBuffer });
    child.child.stdin?.on('error', () => undefined); // it ended before it read: its status says why
    child.child.stdin?.end(input);
    return (await child).stdout;
  };
  return {
    kubeconfigFile,
    kubectlWith,
    directory: layout.directory,
    binaries: layout.binaries,
    nodeAddress: place.nodeAddress,
    hostAddress: place.hostAddress,
    name: place.name,
    request: api.request,
    kubectl: async (...args) => await kubectlWith('', ...args),
    async helm(...args) {
      const folder = await ensureKubernetes(['helm']);
      const home = join(layout.directory, 'helm');
      const env = {
        ...process.env,
        KUBECONFIG: kubeconfigFile,
        HELM_CACHE_HOME: home,
        HELM_CONFIG_HOME: home,
        HELM_DATA_HOME: home,
      };
      return (await run(join(folder, 'helm'), args, { env, maxBuffer })).stdout;
    },
    importImage: async (archive) => await importAll(layout, [archive]),
    async nameImage(reference, another) {
      const socket = join(layout.run, 'containerd.sock');
      const args = ['-a', socket, '-n', 'k8s.io', 'images', 'tag', '--force', reference, another];
      await run(join(layout.binaries, 'ctr'), args);
    },
    inNetwork: async (program, ...args) =>
      (await run('ip', ['netns', 'exec', place.name, program, ...args], { maxBuffer })).stdout,
    setHosts(addresses) {
      const lines = Object.entries(addresses).map(([name, address]) => `${address} ${name}\n`);
      writeFileSync(join(layout.run, 'hosts'), lines.join(''));
    },
    waitReady: async () => await until(layout, 'the node is ready', async () => await nodeIsReady(api.request)),
    logs: (lines = 20) => logsOf(layout, lines),
    stop,
  };
}

const maxBuffer = 64 * 1024 * 1024;

function logsOf({ log }: Layout, lines: number): string {
  return readdirSync(log)
    .filter((name) => name.endsWith('.log'))
    .map((name) => `== ${name}\n${tail(join(log, name), lines)}\n`)
    .join('');
}

function tail(file: string, lines: number): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/** @param folder to remove; undefined: it was the caller's */
async function end(opened: { node?: Part; api?: Api }, place: Claim, folder: string | undefined): Promise<void> {
  await opened.api?.close();
  // The first process of a namespace takes no notice of SIGTERM; with it the kernel kills all the others
  opened.node?.kill('SIGKILL');
  await opened.node?.ended;
  await emptied(place.name);
  await removeCgroups(place.name);
  await place.release();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}

/** The processes of the namespace are being ended by the kernel: until the last is gone. */
async function emptied(name: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { stdout } = await run('ip', ['netns', 'pids', name]);
    if (stdout.trim() === '') return;
    await sleep(50);
  }
  throw new Error(`processes of ${name} do not end`);
}
