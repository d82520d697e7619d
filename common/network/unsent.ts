/**
 * What was written to callers and is still in the kernel's buffers. A response ends when its last byte is handed to the kernel, and so
 * does the connection; but when a pod's last process ends, its network goes, and with it what a slow caller has not taken yet: the
 * caller would wait for the rest until it gives up.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const tables = ['/proc/net/tcp', '/proc/net/tcp6'] as const;
/** As in include/net/tcp_states.h: established, FIN sent, peer closed first, both closed at once, last FIN sent. */
const sending: ReadonlySet<string> = new Set(['01', '04', '08', '0B', '09']);
const lookMs = 50;

/**
 * Bytes (and FINs) that no peer has acknowledged, of connections to a local port.
 * @param table as Linux writes /proc/net/tcp: `sl local rem st tx:rx ...`, in hexadecimal
 */
export function unsentBytes(table: string, port: number): number {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', , state = '']) => sending.has(state) && Number.parseInt(local.split(':')[1] ?? '', 16) === port,
    )
    .reduce((sum, [, , , , queues = '']) => sum + (Number.parseInt(queues.split(':')[0] ?? '', 16) || 0), 0);
}

/** Settles when every peer has taken all that was written to it, or after `graceMs`. */
export async function untilSent(port: number, graceMs: number): Promise<void> {
  const until = performance.now() + graceMs;
  const left = (): number => tables.reduce((sum, file) => sum + unsentBytes(readTable(file), port), 0);
  while (left() > 0 && performance.now() < until) await sleep(lookMs);
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // without IPv6 there is no second table; elsewhere than on Linux there is none
  }
}
