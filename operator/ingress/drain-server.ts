/**
 * Beside a proxy in its pod: the kubelet asks GET /drain before it ends Envoy (preStop), and is answered when nothing is under way.
 * Our images have no shell, and Envoy itself ends at once when it is told to.
 *
 * usage: drain-server.ts --listen ADDRESS:PORT --admin ADDRESS:PORT --goodbye-seconds N --drain-seconds N
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createLog, type Log } from '../../common/observability/log.ts';
import { type AdminAddress, askAdmin, drain } from './admin.ts';

export interface DrainServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly admin: AdminAddress;
  /** For so long new connections are still taken, and each is told to go with its answer: load balancers learn late. */
  readonly goodbyeMs: number;
  /** Then answers under way may take so long. */
  readonly drainMs: number;
  readonly log: Log;
}

export interface DrainServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startDrainServer(options: DrainServerOptions): Promise<DrainServer> {
  const { admin, log, goodbyeMs, drainMs } = options;
  const sayGoodbye = async (): Promise<void> => {
    log.write('info', 'the proxy is told to go', { goodbyeMs, drainMs });
    // Without skip_exit Envoy would end its listeners after --drain-time-s, which is an hour.
    await askAdmin(admin, 'POST', '/drain_listeners?graceful&skip_exit');
    await sleep(goodbyeMs);
    await drain(admin, drainMs);
    log.write('info', 'nothing is under way any more, or it took too long', {});
  };
  let under: Promise<void> | undefined;
  const server = createServer((request, response) => {
    const answer = (status: number, text: string): void => {
      response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
    };
    if (request.url === '/livez') {
      answer(200, 'UP');
    } else if (request.method === 'GET' && request.url === '/drain') {
      // Asked twice it is one and the same goodbye.
      under ??= sayGoodbye();
      under.then(
        () => answer(200, 'drained'),
        (error: unknown) => {
          // The pod goes either way: that it could not be done in order stands in the log and in the pod's events.
          log.write('error', 'the proxy could not be drained', { error: String(error) });
          answer(502, String(error));
        },
      );
    } else answer(404, 'GET /drain or /livez');
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function readAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match?.[1] === undefined) throw new Error(`'${text}': ADDRESS:PORT is needed`);
  return { host: match[1], port: Number(match[2]) };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      listen: { type: 'string', default: '0.0.0.0:19002' },
      admin: { type: 'string', default: '127.0.0.1:19000' },
      'goodbye-seconds': { type: 'string', default: '10' },
      'drain-seconds': { type: 'string', default: '900' },
    },
  });
  const server = await startDrainServer({
    ...readAddress(values.listen),
    admin: readAddress(values.admin),
    goodbyeMs: Number(values['goodbye-seconds']) * 1000,
    drainMs: Number(values['drain-seconds']) * 1000,
    log: createLog('info', { program: 'drain' }, 1),
  });
  // The first process of a container: without a handler it would not be ended by SIGTERM.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close());
}
