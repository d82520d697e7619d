/** `drimbox bench NAME`: measurements against references, with equality of output checked. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createNarrator } from '../demo/narrator.ts';
import { benchIngress } from './ingress.ts';
import { readRetrieveOptions, retrieveUsage } from './options.ts';
import { benchRetrieve, measureHere } from './retrieve.ts';
import { benchSoak } from './soak.ts';
import { replaceFigures } from './markdown.ts';
import { benchRegion } from './region.ts';
import { benchRotation } from './rotation.ts';
import { table } from './table.ts';
import type { Places } from './world.ts';
import { runCommand } from '../tools/command.ts';

const usage = `usage: drimbox bench NAME [--help]

  retrieve   a CT series from PACS to remote client, against a bare C-MOVE
  ingress    a change to one link, among 10, 100 and 1000 of them, to Envoy's acknowledgement
  region     1000 sites on a real Kubernetes API: memory, writes, changes, failover
  soak       sites made, changed and deleted in waves for half an hour; nothing may stay behind
  rotation   200 certificates and 200 whitelists replaced during downloads

Exit codes: 0 measured and as it must be (every output equal, no request failed), 1 not, 2 wrong usage.
`;

async function retrieve(args: readonly string[]): Promise<number> {
  const options = readRetrieveOptions(args);
  if (options === 'help') {
    process.stdout.write(retrieveUsage);
    return 0;
  }
  if (options instanceof Error) {
    process.stderr.write(`drimbox bench retrieve: ${options.message}\n`);
    return 2;
  }
  if (options.places !== undefined) {
    const places = JSON.parse(options.places) as Places;
    process.stdout.write(JSON.stringify(await measureHere(options, places, createNarrator(false))));
    return 0;
  }
  // read first: a missing file must not cost minutes
  const document = options.into === undefined ? undefined : readFileSync(options.into, 'utf8');
  const result = await benchRetrieve(options);
  if (options.into !== undefined && document !== undefined)
    writeFileSync(options.into, replaceFigures(document, result));
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : table(result));
  return result.equal ? 0 : 1;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === 'retrieve') return await retrieve(args);
  if (name === 'ingress') return await benchIngress(args);
  if (name === 'region') return await benchRegion(args);
  if (name === 'soak') return await benchSoak(args);
  if (name === 'rotation') return await benchRotation(args);
  if (name === '--help' || name === '-h') {
    process.stdout.write(usage);
    return 0;
  }
  process.stderr.write(`drimbox bench: ${name === undefined ? 'which one?' : `no benchmark '${name}'`}\n${usage}`);
  return 2;
}

// told to stop: processes go with this one (parent-death signal), namespaces by their own exit handler
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

await runCommand('drimbox bench', '', () => main(process.argv.slice(2)));
