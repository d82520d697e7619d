/** The goodbye of a proxy: the real Envoy, a download that is under way, and the sidecar as a process. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { freePort } from '../../e2e/parts/ports.ts';
import { type Part, startProcess } from '../../e2e/parts/process.ts';
import { extension } from './resources/json.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-drain-'));
const half = Buffer.alloc(300_000, 'x');

/** Sends half of its answer to /long, and the rest when it is let go. */
const held: ServerResponse[] = [];
const upstream = createServer((request, response) => {
  if (request.url !== '/long') {
    response.end('short');
    return;
  }
  response.write(half);
  held.push(response);
}).listen(0, '127.0.0.1');
await once(upstream, 'listening');

test.after(() => {
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true });
});

interface Stage {
  readonly ask: (path: string) => Promise<IncomingMessage>;
  readonly drain: () => Promise<number | undefined>;
  stop(): Promise<void>;
}

async function startStage(drainSeconds: string): Promise<Stage> {
  const [port, admin, drainPort] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, `envoy-${port}.json`);
  writeFileSync(file, JSON.stringify(proxy(port, admin)));
  const envoy: Part = await startProcess({
    name: 'envoy',
    command: findEnvoy(),
    args: ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--drain-strategy', 'immediate'],
    logFile: join(folder, `envoy-${port}.log`),
    ready: async () => (await fetch(`http://127.0.0.1:${admin}/ready`)).ok,
  });
  const sidecar: Part = await startProcess({
    name: 'drain',
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'drain-server.ts'),
      '--listen',
      `127.0.0.1:${drainPort}`,
      '--admin',
      `127.0.0.1:${admin}`,
      '--goodbye-seconds',
      '2',
      '--drain-seconds',
      drainSeconds,
    ],
    logFile: join(folder, `drain-${drainPort}.log`),
    ready: async () => (await fetch(`http://127.0.0.1:${drainPort}/livez`)).ok,
  });
  return {
    ask: async (path) => await ask(port, path),
    drain: async () => (await ask(drainPort, '/drain')).statusCode,
    async stop() {
      await sidecar.stop();
      await envoy.stop();
    },
  };
}

/** Each on a connection of its own. */
async function ask(port: number, path: string): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false, headers: { connection: 'keep-alive' } }, resolve).on(
      'error',
      reject,
    );
  });
}

async function bytesOf(answer: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) bytes += part.length;
  return bytes;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`${what}: not within 15 s`);
}

test('a download survives the goodbye, new connections are told to go, then refused', async () => {
  const stage = await startStage('60');
  try {
    const download = await stage.ask('/long');
    let drained: number | undefined;
    const asked = stage.drain().then((status) => (drained = status));
    await until('an answer says goodbye', async () => {
      const answer = await stage.ask('/short');
      answer.resume();
      return answer.headers.connection === 'close' && answer.statusCode === 200;
    });
    await until('new connections are refused', async () => {
      const answer = await stage.ask('/short').catch(() => undefined); // refused: what is waited for
      answer?.resume();
      return answer === undefined;
    });
    assert.is(drained, undefined, 'the kubelet is not answered while the download is under way');
    held.pop()?.end(half);
    assert.is(await bytesOf(download), 2 * half.length);
    await asked;
    assert.is(drained, 200);
  } finally {
    await stage.stop();
  }
});

test('a download that does not end holds the pod no longer than told', async () => {
  const stage = await startStage('0.4');
  try {
    const download = await stage.ask('/long');
    assert.is(await stage.drain(), 200);
    held.pop()?.end(half);
    assert.is(await bytesOf(download), 2 * half.length, 'and is not cut by the sidecar itself');
  } finally {
    await stage.stop();
  }
});

test('a proxy that is gone already is said, not waited for', async () => {
  const port = await freePort();
  const sidecar = await startProcess({
    name: 'drain',
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'drain-server.ts'),
      '--listen',
      `127.0.0.1:${port}`,
      '--admin',
      `127.0.0.1:${await freePort()}`,
    ],
    logFile: join(folder, `drain-${port}.log`),
    ready: async () => (await fetch(`http://127.0.0.1:${port}/livez`)).ok,
  });
  try {
    assert.is((await ask(port, '/drain')).statusCode, 502);
  } finally {
    await sidecar.stop();
  }
});

function proxy(port: number, admin: number): object {
  const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } });
  const hcm = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const manager = extension('envoy.filters.network.http_connection_manager', hcm, {
    stat_prefix: 'drimbox',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'up', timeout: '0s' } }] },
      ],
    },
    http_filters: [extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router')],
  });
  const endpoint = { address: at((upstream.address() as AddressInfo).port) };
  return {
    admin: { address: at(admin) },
    static_resources: {
      listeners: [{ name: 'public', address: at(port), filter_chains: [{ filters: [manager] }] }],
      clusters: [
        {
          name: 'up',
          type: 'STATIC',
          connect_timeout: '1s',
          load_assignment: { cluster_name: 'up', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
        },
      ],
    },
  };
}

test.run();
