/**
 * Preloaded into a gateway: ends it by SIGKILL at the exact instant an arrow of the publication is passed, once, when asked to.
 * The arrow is the content of the file named by PLUG_FILE; taking the plug out removes the file first.
 */
import { subscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync, rmSync } from 'node:fs';

const file = process.env['PLUG_FILE'] ?? '';

subscribe('drimbox:publication', (message) => {
  const { arrow } = message as { readonly arrow: string };
  if (!existsSync(file) || readFileSync(file, 'utf8') !== arrow) return;
  rmSync(file);
  process.kill(process.pid, 'SIGKILL');
});
