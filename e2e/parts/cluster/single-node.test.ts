/** The single node, with the gateway's own image in it. Needs root and Debian's runc, iptables, conntrack, iproute2. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeImage } from '../../../images/make-images.ts';
import { hierarchies, namespaces, removeLeftovers } from './leftovers.ts';
import { type Cluster, startCluster } from './single-node.ts';

const root = join(import.meta.dirname, '../../..');
const output = mkdtempSync(join(tmpdir(), 'drimbox-images-'));
const gateway = makeImage('gateway', { root, output, envoy: undefined, time: 0, revision: undefined });
const started: { cluster?: Cluster } = {};

function cluster(): Cluster {
  if (started.cluster === undefined) throw new Error('the cluster did not start');
  return started.cluster;
}

/** A pod as strict as PodSecurity knows; `command` replaces the image's. */
function pod(name: string, container: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'strict', labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: gateway.reference,
          imagePullPolicy: 'Never',
          resources: { limits: { memory: '256Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          ...container,
        },
      ],
    },
  };
}

const node = (script: string): object => ({
  command: ['/usr/local/bin/node', '--input-type=module', '--eval', script],
});

async function create(path: string, object: object): Promise<void> {
  const made = await cluster().request('POST', path, object);
  assert.is(made.status, 201, JSON.stringify(made.body));
}

/** The pod's log once it ended. */
async function outcome(name: string): Promise<{ readonly phase: string; readonly log: string }> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const read = await cluster().request('GET', `/api/v1/namespaces/strict/pods/${name}`);
    const { phase } = read.body['status'] as { readonly phase: string };
    if (phase === 'Succeeded' || phase === 'Failed')
      return { phase, log: await cluster().kubectl('-n', 'strict', 'logs', name) };
    await sleep(200);
  }
  throw new Error(`${name} does not end:\n${await cluster().kubectl('-n', 'strict', 'describe', 'pod', name)}`);
}

test.before(async () => {
  started.cluster = await startCluster({ images: [gateway.archive] });
  await create('/api/v1/namespaces', {
    metadata: { name: 'strict', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const account = await cluster().request('GET', '/api/v1/namespaces/strict/serviceaccounts/default');
    if (account.status === 200) break;
    await sleep(50);
  }
});

test.after(async () => {
  await started.cluster?.stop();
  rmSync(output, { recursive: true, force: true });
});

test('the node is Ready, and takes pods', async () => {
  await cluster().waitReady();
  const words = await cluster().kubectl('get', 'nodes', '--no-headers');
  assert.match(words, /^node\s+Ready\s/);
});

test('a pod that is not restricted is refused', async () => {
  const refused = await cluster().request('POST', '/api/v1/namespaces/strict/pods', {
    ...pod('loose', { securityContext: { privileged: true } }),
  });
  assert.is(refused.status, 403);
  assert.match(String(refused.body['message']), 'violates PodSecurity');
});

test('helm speaks to it', async () => {
  assert.equal(JSON.parse(await cluster().helm('list', '--all-namespaces', '--output', 'json')), []);
});

test("the gateway's image runs restricted, with a read-only root, and its log is read", async () => {
  await create('/api/v1/namespaces/strict/pods', pod('help', { args: ['--help'] }));
  const { phase, log } = await outcome('help');
  assert.is(phase, 'Succeeded', log);
  assert.match(log, 'usage: main.ts --config FILE');
});

test('a Service is reached from a pod by name and by address, and from the host by its NodePort', async () => {
  const script = `import { createServer } from 'node:http';
    createServer((_, answer) => answer.end('served')).listen(8080);`;
  await create('/api/v1/namespaces/strict/pods', pod('web', node(script)));
  await create('/api/v1/namespaces/strict/services', {
    metadata: { name: 'web' },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] },
  });
  await cluster().kubectl('-n', 'strict', 'wait', '--for=condition=Ready', 'pod/web', '--timeout=60s');
  const service = await cluster().request('GET', '/api/v1/namespaces/strict/services/web');
  const { clusterIP } = service.body['spec'] as { readonly clusterIP: string };
  assert.is(await fetchWhenServed(`http://${cluster().nodeAddress}:30080/`), 'served');
  const client = `for (const url of ['http://web/', 'http://web.strict.svc.cluster.local/', 'http://${clusterIP}/'])
    console.log(url, await (await fetch(url)).text());`;
  await create('/api/v1/namespaces/strict/pods', pod('client', node(client)));
  const { log } = await outcome('client');
  assert.equal(log.trim().split('\n'), [
    'http://web/ served',
    'http://web.strict.svc.cluster.local/ served',
    `http://${clusterIP}/ served`,
  ]);
});

test('a pod reaches a server on the host, by address and by a name given to the cluster', async () => {
  const server = createServer((_, answer) => answer.end('host'));
  await new Promise<void>((resolve) => server.listen(0, cluster().hostAddress, resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    cluster().setHosts({ 'simulator.test': cluster().hostAddress });
    const script = `for (const name of ['${cluster().hostAddress}', 'simulator.test'])
      console.log(await (await fetch('http://' + name + ':${port}/')).text());`;
    await create('/api/v1/namespaces/strict/pods', pod('outward', node(script)));
    const { log } = await outcome('outward');
    assert.is(log, 'host\nhost\n');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a claim of the default class is bound, and kept by a restricted pod', async () => {
  await create('/api/v1/namespaces/strict/persistentvolumeclaims', {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  const script = `import { writeFileSync, readFileSync } from 'node:fs';
    writeFileSync('/data/x', 'kept'); console.log(readFileSync('/data/x', 'utf8'));`;
  const made = pod('writer', { ...node(script), volumeMounts: [{ name: 'data', mountPath: '/data' }] });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const { spec } = made as { readonly spec: object };
  await create('/api/v1/namespaces/strict/pods', { ...made, spec: { ...spec, volumes } });
  const { log } = await outcome('writer');
  assert.is(log, 'kept\n');
});

test('a second cluster runs beside it and does not touch it; stop leaves nothing of either', async () => {
  const second = await startCluster({ images: [] });
  assert.is.not(second.nodeAddress, cluster().nodeAddress);
  assert.is((await cluster().request('GET', '/readyz')).status, 200);
  const parts = [second, cluster()].map(({ name, directory, hostAddress }) => ({ name, directory, hostAddress }));
  assert.ok(processesOf(second.directory).length > 5);
  await second.stop();
  assert.is((await cluster().request('GET', '/readyz')).status, 200);
  await cluster().stop();
  delete started.cluster;
  const addresses = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
  const mounts = readFileSync('/proc/mounts', 'utf8');
  for (const { name, directory, hostAddress } of parts) {
    assert.equal(processesOf(directory), []);
    assert.not.ok(namespaces().includes(name));
    assert.not.ok(addresses.includes(hostAddress));
    assert.not.match(mounts, name);
    assert.not.ok(existsSync(directory));
    for (const hierarchy of hierarchies()) assert.not.ok(existsSync(join(hierarchy, name)));
  }
});

test('a killed run leaves no process, and the next start removes the rest', async () => {
  const module = join(import.meta.dirname, 'single-node.ts');
  const script = `import { startCluster } from '${module}';
    const { name, directory } = await startCluster({ images: [] });
    console.log(JSON.stringify({ name, directory }));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { name, directory } = JSON.parse(line.toString()) as { readonly name: string; readonly directory: string };
  removeLeftovers();
  assert.ok(namespaces().includes(name), 'a live run keeps what it has');
  child.kill('SIGKILL');
  await once(child, 'exit');
  for (let attempt = 0; attempt < 100 && processesOf(directory).length > 0; attempt += 1) await sleep(50);
  assert.equal(processesOf(directory), []);
  removeLeftovers();
  assert.not.ok(namespaces().includes(name));
  assert.not.ok(existsSync(directory));
  for (const hierarchy of hierarchies()) assert.not.ok(existsSync(join(hierarchy, name)));
});

async function fetchWhenServed(url: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      // kube-proxy writes its rules some moments after the Service is made
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}

function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory);
      } catch {
        return false; // ended meanwhile
      }
    });
}

test.run();
