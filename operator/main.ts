/**
 * The control plane.
 *
 * usage: main.ts up|status|whitelist|certificate|explain|cluster ...   (see `main.ts COMMAND --help`)
 *
 * Exit codes: 0 done, 1 the answer is no, 2 wrong usage.
 */
import { verifyWhitelist } from '../common/whitelist/verify.ts';
import { cluster, clusterUsage } from './cli/cluster.ts';
import { certificate, certificateUsage } from './cli/certificate.ts';
import { explain, explainUsage } from './cli/explain.ts';
import { showStatus, statusUsage } from './cli/status.ts';
import { up, upUsage } from './cli/up.ts';
import { whitelist, whitelistUsage } from './cli/whitelist.ts';

// Node cuts small buffers out of slabs of 64 KiB, and one certificate that is kept keeps the whole slab: 180 kB per site of a region.
Buffer.poolSize = 1024;

const [command, ...rest] = process.argv.slice(2);

async function run(): Promise<number> {
  if (command === 'up') return await up(rest, { verifyWhitelist });
  if (command === 'status') return showStatus(rest, new Date());
  if (command === 'whitelist') return await whitelist(rest, verifyWhitelist);
  if (command === 'explain') return await explain(rest);
  if (command === 'cluster') return await cluster(rest, verifyWhitelist);
  if (command === 'certificate') return await certificate(rest, new Date());
  process.stderr.write(
    `${upUsage}\n${statusUsage}\n${whitelistUsage}\n${certificateUsage}\n${explainUsage}\n${clusterUsage}`,
  );
  return command === '--help' || command === '-h' ? 0 : 2;
}

try {
  process.exitCode = await run();
} catch (error) {
  const wrongUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`drimbox: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = wrongUsage ? 2 : 1;
}
