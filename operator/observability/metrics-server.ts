/** Pages for whoever watches the operator; they hold names of sites and FQDNs, no secrets, and belong on the loopback. */
import { Readable } from 'node:stream';
import fastify from 'fastify';
import type { StatusDocument } from '../controllers/status-document.ts';
import type { StatusRegistry } from './status-metrics.ts';

/** The operator writes at least every 10 s; a round that verifies lists may take longer. */
const freshMs = 60_000;

export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly registry: StatusRegistry;
  /** What the operator saw last; undefined before its first round ended. */
  readonly status: () => StatusDocument | undefined;
  readonly now: () => Date;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * GET /metrics (Prometheus text), /livez (the process answers), /readyz (its last round succeeded, less than a minute ago).
 * @throws Error when address or port can't be had
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, registry, status, now } = options;
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/livez', () => ({ status: 'UP' }));
  server.get('/readyz', async (_request, reply) => {
    const why = notReady(status(), now());
    const answer = why === undefined ? { status: 'UP' } : { status: 'DOWN', message: why };
    return await reply.code(why === undefined ? 200 : 503).send(answer);
  });
  server.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(Readable.from(registry.pieces())),
  );
  await server.listen({ host, port });
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the metrics server is not listening');
  return { port: address.port, close: async () => await server.close() };
}

/** Why the operator is not ready, in words; undefined when it is. Resources that are not ready don't count: they have series. */
export function notReady(status: StatusDocument | undefined, now: Date): string | undefined {
  if (status === undefined) return 'the first round is under way';
  if (status.error !== undefined) return `the latest round failed: ${status.error}`;
  return now.getTime() - Date.parse(status.writtenAt) > freshMs
    ? `no round ended since ${status.writtenAt}`
    : undefined;
}
