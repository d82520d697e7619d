/**
 * Where proxies come in: a Unix socket that only our user reaches, or TCP with mutual TLS. TLS is ended here, not by gRPC, so that
 * the certificate can be replaced while streams live, and a stranger never gets as far as speaking.
 */
import { rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type SecureContextOptions, type TLSSocket, type TlsOptions, createServer } from 'node:tls';
import grpc from '@grpc/grpc-js';
import type { ControlEndpoint, ControlTls } from '../ingress-control.ts';

export interface Door {
  readonly port: number | undefined;
  replaceTls(tls: ControlTls): void;
  close(): void;
}

type OnTurnedAway = (why: string, peer: string) => void;

/** @throws Error when the address is taken, or the TLS material is unusable */
export async function openDoor(server: grpc.Server, at: ControlEndpoint, onTurnedAway: OnTurnedAway): Promise<Door> {
  return 'socket' in at ? await openSocket(server, at.socket) : await openTls(server, at, onTurnedAway);
}

async function openSocket(server: grpc.Server, socket: string): Promise<Door> {
  rmSync(socket, { force: true }); // left by a process that was killed
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  return {
    port: undefined,
    replaceTls() {
      throw new Error('the control plane listens on a Unix socket and has no certificate to replace');
    },
    close: () => undefined, // the server's own
  };
}

async function openTls(
  server: grpc.Server,
  { host, port, tls }: Exclude<ControlEndpoint, { readonly socket: string }>,
  onTurnedAway: OnTurnedAway,
): Promise<Door> {
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const current = { clientName: tls.clientName };
  const options: TlsOptions = {
    ...context(tls),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout: 10_000,
  };
  const open = new Set<TLSSocket>();
  const listener = createServer(options, (socket) => {
    socket.on('error', () => socket.destroy()); // the proxy went; it comes again by itself
    const names = socket.getPeerX509Certificate()?.subjectAltName?.split(', ') ?? [];
    if (!names.includes(`DNS:${current.clientName}`)) {
      onTurnedAway(`its certificate is not of ${current.clientName}`, socket.remoteAddress ?? '');
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    injector.injectConnection(socket);
  });
  listener.on('tlsClientError', (error, socket) => onTurnedAway(error.message, socket.remoteAddress ?? ''));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    replaceTls(next) {
      listener.setSecureContext(context(next));
      current.clientName = next.clientName;
    },
    close() {
      listener.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function context({ certificatePem, keyPem, caPem }: ControlTls): SecureContextOptions {
  return { cert: certificatePem, key: keyPem, ca: caPem, minVersion: 'TLSv1.3' };
}
