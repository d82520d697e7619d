/** Runs the lean client and asks it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { enterNamespace } from '../parts/process.ts';
import type { SeriesCall } from '../parts/drimbox-client.ts';
import type { Check, Question, Transfer } from './client.ts';

export interface ClientProcess {
  readonly pid: number;
  fetch(call: SeriesCall): Promise<Transfer>;
  check(digestsFile: string): Promise<Check>;
  stop(): Promise<void>;
}

export function startClient(networkNamespace: string | undefined): ClientProcess {
  const inside = networkNamespace === undefined ? [] : enterNamespace(networkNamespace);
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'client.ts')];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inside, ...node], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (question: Question): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the client ended before it answered: its reason is above');
    return JSON.parse(value);
  };
  return {
    pid: child.pid ?? 0,
    fetch: async (call) => (await ask({ ask: 'fetch', call })) as Transfer,
    check: async (digestsFile) => (await ask({ ask: 'check', digestsFile })) as Check,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
