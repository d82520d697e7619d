/** For the tests of this room: one HTTPS call whose every part can be a lie. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:tls';
import type { Issued } from '../../e2e/parts/pki.ts';
import type { Stage } from './stage.testing.ts';

export interface Call {
  /** SNI; '' sends none. */
  readonly sni: string;
  readonly host?: string;
  readonly path?: string;
  readonly client?: Pick<Issued, 'chainPem' | 'keyPem'> | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly from?: string;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.1';
  readonly ciphers?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** @throws Error of the socket when the handshake or the connection fails */
export async function call(stage: Pick<Stage, 'port'>, options: Call): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: stage.port,
        servername: options.sni,
        path: options.path ?? '/studies',
        agent: false,
        rejectUnauthorized: false, // who the server is, is not what these calls ask
        headers: { host: options.host ?? options.sni, ...options.headers },
        ...(options.client && { cert: options.client.chainPem, key: options.client.keyPem }),
        ...(options.from !== undefined && { localAddress: options.from }),
        ...(options.maxVersion !== undefined && { minVersion: 'TLSv1' as const, maxVersion: options.maxVersion }),
        ...(options.ciphers !== undefined && { ciphers: options.ciphers }),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (body += part));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rejectUnauthorized: boolean;
  readonly cert: string;
  readonly key: string;
}

type Known = Pick<Stage, 'port' | 'client'>;

/** For `https` and `tls`: one FQDN, as a client it knows. */
export function target({ port, client }: Known, fqdn: string): Target {
  return {
    host: '127.0.0.1',
    port,
    servername: fqdn,
    headers: { host: fqdn },
    rejectUnauthorized: false,
    cert: client.chainPem,
    key: client.keyPem,
  };
}

export async function isClosed(stage: Known, sni: string): Promise<boolean> {
  return await call(stage, { sni, client: stage.client }).then(
    () => false,
    () => true,
  );
}

export async function isOpen(stage: Known, sni: string): Promise<boolean> {
  return await call(stage, { sni, client: stage.client }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

export async function serialServed(stage: Known, fqdn: string): Promise<string> {
  const socket = connect(target(stage, fqdn));
  await once(socket, 'secureConnect');
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return serial.toLowerCase();
}
