/** Connections to the API server: HTTP/1.1, kept open, with the TLS material of the moment. */
import { buildConnector, Pool } from 'undici';
import type { KubeAccess, KubeTls } from './access.ts';

/** Below the 90 s after which the API server closes an idle connection. */
const keepAliveMs = 60_000;
const connectMs = 10_000;

/**
 * HTTP/1.1 on purpose: one half-open HTTP/2 connection would stall the watches and the lease together.
 * @param connections undefined: as many as there are requests at once
 */
export function createPool(access: KubeAccess, connections?: number): Pool {
  return new Pool(access.server, {
    ...(connections === undefined ? {} : { connections }),
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    // The client times every request itself, and watches are silent by nature.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: createConnector(access),
  });
}

function createConnector(access: KubeAccess): buildConnector.connector {
  let built: { readonly key: string; readonly connect: buildConnector.connector } | undefined;
  return (options, callback) => {
    let tls: KubeTls;
    try {
      tls = access.tls();
    } catch (error) {
      // The connector's contract: failures go to the callback, which rejects the request that wanted the connection.
      callback(error instanceof Error ? error : new Error(String(error)), null);
      return;
    }
    const key = JSON.stringify(tls);
    // Kept while the material is the same: it remembers TLS sessions.
    if (built?.key !== key) built = { key, connect: buildConnector(toConnect(tls)) };
    built.connect(options, callback);
  };
}

function toConnect({ insecure, ...material }: KubeTls): buildConnector.BuildOptions {
  return {
    ...material,
    ...(insecure === true ? { rejectUnauthorized: false } : {}),
    allowH2: false,
    timeout: connectMs,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
}
