/**
 * The end of a server that a test or the demo has in its own process. `closeAllConnections` of Node knows only connections on which HTTP
 * is spoken: one whose TLS handshake is not over, or that came in between, would keep `close` waiting for two minutes.
 */
import type { Server, Socket } from 'node:net';

/** To be called before it listens. @returns ends it at once, whoever is connected; again, and it does nothing */
export function endOf(server: Server): () => Promise<void> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return async () => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of open) socket.destroy();
    await closed;
  };
}
