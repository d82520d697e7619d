/** Follows the configuration file: a good newer one is handed on, a bad one is refused with the path of the fault (architecture §4.2). */
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type ConfigFault, readGatewayConfig } from '../common/contract/read-gateway-config.ts';
import type { GatewayConfig } from '../common/contract/gateway-config.ts';

export interface ConfigWatch {
  stop(): void;
  /** Reads the file now, whether or not it changed. */
  check(): Promise<void>;
}

/** Writers replace the file by rename, and a mounted ConfigMap swaps a link: both are seen on the folder, and by looking again. */
const lookAgainMs = 5_000;

export function watchConfig(
  file: string,
  current: string,
  on: {
    /** @returns false: it can't be put into force as yet (a file it names has not arrived), it is tried again */
    readonly accepted: (config: GatewayConfig, again: boolean) => Promise<boolean>;
    readonly refused: (revision: string, faults: readonly ConfigFault[]) => void;
  },
): ConfigWatch {
  const state = { text: current, missed: '', running: Promise.resolve() };

  const look = async (): Promise<void> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      // being replaced, or gone: what is in force stays; said once until it changes
      if (state.text !== '' && state.missed === '')
        on.refused('', [{ path: '', message: `${file}: ${error instanceof Error ? error.message : String(error)}` }]);
      state.text = '';
      return;
    }
    if (text === state.text) return;
    state.text = text;
    const reading = readGatewayConfig(text);
    if (reading.ok) {
      // Mounted Secrets and ConfigMaps are each whole, but not of one moment: what is missing now may be there at the next look.
      const taken = await on.accepted(reading.config, state.missed === text);
      if (!taken) state.text = '';
      state.missed = taken ? '' : text;
    } else on.refused(revisionOf(text), reading.faults);
  };
  const check = (): Promise<void> => {
    state.running = state.running.then(look);
    return state.running;
  };
  const watcher = watch(dirname(file), (_event, name) => {
    if (name === null || name === basename(file) || name === '..data') void check();
  });
  const timer = setInterval(() => void check(), lookAgainMs);
  return {
    check,
    stop() {
      watcher.close();
      clearInterval(timer);
    },
  };
}

function revisionOf(text: string): string {
  return /"revision"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? '';
}
