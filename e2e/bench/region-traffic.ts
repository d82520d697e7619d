/** Handshakes through Envoy without a pause: of a viewer, and of another DRIMbox with its client certificate. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TLSSocket, connect } from 'node:tls';
import type { Issued, Pki } from '../parts/pki.ts';

export interface Asked {
  readonly port: number;
  readonly fqdn: string;
  readonly pki: Pki;
  /** Of a caller of `db`. */
  readonly client?: Issued;
}

/** @returns serial number of the certificate served @throws Error when there is no handshake, or not with a trusted certificate */
export async function handshake({ port, fqdn, pki, client }: Asked): Promise<string> {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    servername: fqdn,
    ca: readFileSync(pki.bundleFile),
    ...(client && { cert: client.chainPem, key: client.keyPem }),
  });
  const timer = setTimeout(() => socket.destroy(new Error(`${fqdn}: no handshake within 5 s`)), 5_000);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return socket.getPeerCertificate().serialNumber;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

export interface Traffic {
  readonly done: number;
  /** In words. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Each name in turn, ten times a second. */
export function startTraffic(asked: readonly Asked[]): Traffic {
  const stopping = new AbortController();
  const failures: string[] = [];
  let done = 0;
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const one = asked[done % asked.length];
      if (one === undefined) return;
      await handshake(one).catch((error: unknown) => failures.push(`${one.fqdn}: ${String(error)}`));
      done += 1;
      await sleep(100);
    }
  };
  const running = loop();
  return {
    failures,
    get done() {
      return done;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
