/** The same measurement with PACS, gateway and client in three network namespaces, joined by links of a known rate. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Narrator } from '../demo/narrator.ts';
import { openRow, whyNoLinks } from '../parts/links.ts';
import { enterNamespace } from '../parts/process.ts';
import type { RetrieveOptions } from './options.ts';
import type { Setting } from './result.ts';
import type { Places } from './world.ts';

export type Shaped =
  { readonly ok: true; readonly settings: readonly Setting[] } | { readonly ok: false; readonly why: string };

const roles = ['pacs', 'gateway', 'client'] as const;

/** Runs this program again inside the gateway's namespace, with operator, gateway, Envoy and the national services. */
export async function measureShaped(options: RetrieveOptions, rate: string, narrator: Narrator): Promise<Shaped> {
  const why = whyNoLinks();
  if (why !== undefined) return { ok: false, why };
  const row = await openRow(roles, rate);
  try {
    const [pacs = '', gateway = '', client = ''] = row.names;
    const places: Places = {
      pacs: { networkNamespace: pacs, host: row.address(0, 1) },
      gatewayHost: row.address(1, 0),
      ingressHost: row.address(1, 2),
      clientNamespace: client,
    };
    const settings = await narrator.step(`links of ${rate}: everything again in three namespaces`, () =>
      runInside(gateway, places, options),
    );
    return { ok: true, settings };
  } finally {
    row.close();
  }
}

async function runInside(namespace: string, places: Places, options: RetrieveOptions): Promise<readonly Setting[]> {
  const main = join(import.meta.dirname, 'main.ts');
  const args = ['--images', String(options.images), '--runs', String(options.runs), '--places', JSON.stringify(places)];
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'retrieve', '--json', ...args];
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...enterNamespace(namespace), ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`the measurement on shaped links ended with ${code}; its reason is above`);
  return JSON.parse(Buffer.concat(chunks).toString()) as readonly Setting[];
}
