/**
 * A TLS listener of the gateway. Two doors, one answer to "who calls?" (architecture §5.2, §5.3):
 * `ingress`: only the ingress may connect, proven by the internal CA and its name; the caller is what it says in XFCC.
 * `direct`: this process ends mutual TLS, with the CRL, and the caller is the certificate.
 */
import { type X509Certificate, constants } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { DoorConfig } from '../../common/contract/gateway-config.ts';
import type { Peer } from './peer.ts';
import { readTlsPeer } from './tls-peer.ts';
import { readXfcc } from './xfcc.ts';

/** TLS 1.3, and of TLS 1.2 what the DMP accepts too (ci-sis §6.1). */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':');

export type Caller = { readonly ok: true; readonly peer: Peer } | { readonly ok: false; readonly detail: string };

export interface Door {
  /** Hand it to the HTTP framework as its server factory; called once. */
  readonly createServer: (handler: RequestListener) => Server;
  /** Whoever is behind this request; for a door that demands certificates. */
  caller(request: IncomingMessage): Caller;
  /** Address of the caller: what the ingress says of it, or the socket's. */
  remote(request: IncomingMessage): string;
  /** New files: new connections see them, old ones go on. @throws Error when they can't be used; the old stay. */
  reload(config: DoorConfig): void;
}

export interface DoorOptions {
  /** Callers need a certificate: WADO-RS. A viewer door in `direct` mode asks for none. */
  readonly clientCertificates: boolean;
  /** A handshake that we end, and why: E1101 (DB.SO.154). */
  readonly onRefused: (refusal: {
    readonly remote: string;
    readonly serverName: string;
    readonly detail: string;
  }) => void;
}

/** @throws Error when a file can't be read. */
export function openDoor(config: DoorConfig, options: DoorOptions): Door {
  const state: { config: DoorConfig; server: Server | undefined } = { config, server: undefined };
  const initial = secureOptions(config, options);
  return {
    createServer(handler) {
      state.server = createServer({ ...initial, maxHeaderSize: 32_768, noDelay: true, keepAlive: true }, handler);
      state.server.on('secureConnection', (socket: TLSSocket) => judge(socket, state.config, options));
      return state.server;
    },
    caller: (request) => callerOf(request, state.config),
    remote: (request) => remoteOf(request, state.config),
    reload(next) {
      state.server?.setSecureContext(secureOptions(next, options));
      state.config = next;
    },
  };
}

function secureOptions(
  { mode, server, clientCaFile, crlFile }: DoorConfig,
  { clientCertificates }: DoorOptions,
): ServerOptions {
  const ingress = mode === 'ingress';
  return {
    cert: readFileSync(server.certificateFile),
    key: readFileSync(server.keyFile),
    ca: readFileSync(clientCaFile),
    ...(crlFile !== undefined && !ingress && { crl: pemBlocks(readFileSync(crlFile, 'utf8')) }),
    requestCert: ingress || clientCertificates,
    // we end the connection ourselves, so that the reason is known and journalled
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ciphers,
    honorCipherOrder: true,
    // a resumed session would skip the CRL: every connection shows its certificate (operator-anchors C.4)
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: ['http/1.1'],
  };
}

/** Node reads only the first CRL of a text: each is handed over by itself, or chains of the other authorities are refused. */
function pemBlocks(text: string): string[] {
  return text.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
}

function judge(socket: TLSSocket, config: DoorConfig, options: DoorOptions): void {
  const detail =
    config.mode === 'ingress'
      ? ingressFault(socket, config)
      : options.clientCertificates
        ? directFault(socket)
        : undefined;
  if (detail === undefined) return;
  options.onRefused({
    remote: socket.remoteAddress ?? '',
    serverName: typeof socket.servername === 'string' ? socket.servername : '',
    detail,
  });
  socket.destroy();
}

function ingressFault(socket: TLSSocket, config: DoorConfig): string | undefined {
  if (!socket.authorized) return `not the ingress: ${String(socket.authorizationError ?? 'no certificate')}`;
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  return certificate?.checkHost(config.ingressName ?? '') === undefined
    ? `the certificate is not for ${config.ingressName ?? ''}`
    : undefined;
}

function directFault(socket: TLSSocket): string | undefined {
  if (socket.isSessionReused()) return 'a resumed session would not be checked against the CRL';
  const reading = readTlsPeer(socket);
  return reading.ok ? undefined : reading.detail;
}

function callerOf(request: IncomingMessage, config: DoorConfig): Caller {
  if (config.mode === 'direct') return readTlsPeer(request.socket as TLSSocket);
  return readXfcc(
    request.headersDistinct['x-forwarded-client-cert']?.length === 1
      ? request.headersDistinct['x-forwarded-client-cert'][0]
      : undefined,
  );
}

function remoteOf(request: IncomingMessage, config: DoorConfig): string {
  const forwarded = config.mode === 'ingress' ? request.headersDistinct['x-forwarded-for']?.at(-1) : undefined;
  return forwarded?.split(',').at(-1)?.trim() ?? request.socket.remoteAddress ?? '';
}
