/** What the proxy of this host took last, kept for the next operator. In slices, for of thousands of links it is megabytes. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { IngressPlan } from '../plan/ingress-plan.ts';

/** At once, between two turns of others. */
const hostsAtOnce = 100;

/** Written beside, synced, then renamed; readable by our user alone, for private keys stand in it. @throws Error of the file system */
export async function writeAccepted(file: string, plan: IngressPlan): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    for (const text of pieces(plan)) await handle.write(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

function* pieces({ hosts, ...rest }: IngressPlan): Generator<string, void> {
  yield `${JSON.stringify(rest).slice(0, -1)},"hosts":[`;
  for (let from = 0; from < hosts.length; from += hostsAtOnce) {
    const some = JSON.stringify(hosts.slice(from, from + hostsAtOnce)).slice(1, -1);
    yield from === 0 ? some : `,${some}`;
  }
  yield ']}';
}

/** undefined: none was kept. @throws SyntaxError when it was damaged */
export function readAccepted(file: string): IngressPlan | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as IngressPlan) : undefined;
}

export function forgetAccepted(file: string): void {
  rmSync(file, { force: true });
}
