/** Envoy's admin page, over its Unix socket or its pod's loopback. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilSent } from '../../common/network/unsent.ts';
import { listenerName } from './resources/names.ts';

/** Path of a Unix socket, or an address of TCP. */
export type AdminAddress = string | { readonly host: string; readonly port: number };

/** @throws Error when nobody answers or the answer is not 200 */
export async function askAdmin(at: AdminAddress, method: 'GET' | 'POST', path: string): Promise<string> {
  const target = typeof at === 'string' ? { socketPath: at } : at;
  return await new Promise((resolve, reject) => {
    const call = request({ ...target, method, path, timeout: 5_000, headers: { host: 'admin' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (body += part));
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(body)
          : reject(new Error(`Envoy's admin page answered ${response.statusCode ?? 0} to ${path}`)),
      );
    });
    call.on('timeout', () => call.destroy(new Error(`Envoy's admin page did not answer ${path} in 5 s`)));
    call.on('error', reject);
    call.end();
  });
}

/**
 * Takes no new connection and waits until no request is under way and callers have taken all that was sent, or the time is over.
 * @throws Error when the proxy does not answer: it is gone already, or hangs
 */
export async function drain(at: AdminAddress, timeoutMs: number): Promise<void> {
  const port = publicPort(await askAdmin(at, 'GET', '/listeners?format=json'));
  await askAdmin(at, 'POST', '/drain_listeners');
  const until = performance.now() + timeoutMs;
  const isActive = async (): Promise<boolean> =>
    activeRequests(await askAdmin(at, 'GET', '/stats?filter=%5Ehttp%5C..*downstream_rq_active%24')) > 0;
  while (performance.now() < until && (await isActive())) await sleep(200);
  // What a slow caller has not taken yet goes with the proxy, and on a pod with its network.
  if (port !== undefined) await untilSent(port, Math.max(0, until - performance.now()));
}

interface Listeners {
  readonly listener_statuses?: readonly {
    readonly name: string;
    readonly local_address?: { readonly socket_address?: { readonly port_value?: number } };
  }[];
}

function publicPort(listeners: string): number | undefined {
  const { listener_statuses: all = [] } = JSON.parse(listeners) as Listeners;
  return all.find(({ name }) => name === listenerName)?.local_address?.socket_address?.port_value;
}

/** The question itself is a request too, on the admin page's own counter. */
function activeRequests(stats: string): number {
  return stats
    .split('\n')
    .filter((line) => !line.startsWith('http.admin.'))
    .reduce((sum, line) => sum + Number(/: (\d+)$/.exec(line)?.[1] ?? 0), 0);
}
