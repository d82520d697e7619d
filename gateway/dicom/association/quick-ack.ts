/**
 * TCP_QUICKACK: acknowledge at once. A PACS that leaves Nagle's algorithm on waits for our acknowledgement before the last
 * segment of each message; Linux delays it by 40 ms, which makes 1300 images last 15–28 s instead of about one.
 * Node has no API for it; koffi, an optional dependency, calls setsockopt. Without it everything works, slower.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** linux/in.h, linux/tcp.h; the same on every Linux architecture Node runs on. */
const ipProtoTcp = 6;
const tcpQuickAck = 12;

export interface QuickAck {
  /** Why not, when `off`; shown on the status page and logged once at start. */
  readonly mode: 'on' | 'off';
  readonly reason: string;
  /** The kernel forgets the option after a while, so this is called on every read. */
  acknowledge(socket: Socket): void;
}

type SetSockOpt = (fd: number, level: number, name: number, value: Int32Array, length: number) => number;

interface ForeignFunctions {
  load(library: string): { func(prototype: string): SetSockOpt };
}

const one = Int32Array.of(1);

/** Never throws: what is missing becomes the reason of mode `off`. */
export function openQuickAck(platform: NodeJS.Platform = process.platform): QuickAck {
  if (platform !== 'linux') return off(`TCP_QUICKACK is Linux's; this is ${platform}`);
  try {
    const koffi = createRequire(import.meta.url)('koffi') as ForeignFunctions;
    const setSockOpt = koffi.load('libc.so.6').func('int setsockopt(int, int, int, int *, uint32_t)');
    return {
      mode: 'on',
      reason: '',
      acknowledge(socket) {
        const fd = descriptorOf(socket);
        // A refusal (a socket closing meanwhile) costs speed, not data: the data path does not depend on it.
        if (fd >= 0) setSockOpt(fd, ipProtoTcp, tcpQuickAck, one, 4);
      },
    };
  } catch (error) {
    // Optional by design: an image without koffi or with another C library still receives.
    return off(error instanceof Error ? error.message : String(error));
  }
}

export function off(reason: string): QuickAck {
  return { mode: 'off', reason, acknowledge: () => undefined };
}

/** Node keeps the descriptor on the socket's handle: undocumented, present since 0.x; -1 when it is not there. */
function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return -1;
  const fd: unknown = Reflect.get(handle, 'fd');
  return typeof fd === 'number' ? fd : -1;
}
