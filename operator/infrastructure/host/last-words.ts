import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const tailBytes = 8192;
const longest = 300;

/** Why a program ended, from the end of its log: the line that names an error, or else the last one. Empty when it said nothing. */
export function lastWords(logFile: string): string {
  if (!existsSync(logFile)) return '';
  const handle = openSync(logFile, 'r');
  try {
    const { size } = fstatSync(handle);
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    readSync(handle, tail, 0, tail.length, size - tail.length);
    const lines = tail
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    const telling = lines.findLast((line) => /^(gateway: |\w*Error\b)/.test(line)) ?? lines.at(-1) ?? '';
    return telling.slice(0, longest);
  } finally {
    closeSync(handle);
  }
}
