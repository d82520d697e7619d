/** `drimbox bench rotation`: certificates replaced and whitelists republished during downloads; not one request may fail. */
import { mkdtempSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createNarrator } from '../demo/narrator.ts';
import { openWorld, runMainJob } from '../demo/scenario.ts';
import { rotateUnderLoad, serialServed } from '../scenarios/rotation.ts';
import { type Machine, describeMachine } from './machine.ts';
import { quantile } from './quantile.ts';

export const rotationUsage = `usage: drimbox bench rotation [--json] [--times N] [--images N] [--clients N]

N certificates of one FQDN, and N signed whitelists, come into force one after the other while remote DRIMboxes download a series
without a pause, through the real operator, gateway and Envoy.

  --json        one JSON object on standard output
  --times N     of each (default 200)
  --images N    in the series (default 150)
  --clients N   that download (default 2)

Exit codes: 0 no request failed and the last certificate serves, 1 not, 2 wrong usage.
`;

interface RotationResult {
  readonly bench: 'rotation';
  readonly machine: Machine;
  readonly images: number;
  readonly clients: number;
  readonly rotations: number;
  readonly lists: number;
  readonly downloads: number;
  readonly failed: number;
  /** The first ten. */
  readonly failures: readonly string[];
  readonly lastInService: boolean;
  /** From the Secret written and the list published to both in force, ms; under this load. */
  readonly stepMs: { readonly p50: number; readonly p99: number };
  readonly seconds: number;
}

/** @returns the exit code */
export async function benchRotation(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      times: { type: 'string', default: '200' },
      images: { type: 'string', default: '150' },
      clients: { type: 'string', default: '2' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(rotationUsage);
    return 0;
  }
  const numbers = [values.times, values.images, values.clients].map(Number);
  const [times = 0, images = 0, clients = 0] = numbers;
  if (!numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= 10_000)) {
    process.stderr.write(`drimbox bench rotation: a whole number from 1 to 10000 is expected\n${rotationUsage}`);
    return 2;
  }
  const result = await measure(times, images, clients);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : text(result));
  return result.failed === 0 && result.lastInService ? 0 : 1;
}

async function measure(times: number, images: number, clients: number): Promise<RotationResult> {
  // a short path: Envoy's sockets live below it
  const directory = mkdtempSync('/tmp/drimbox-r-');
  const narrator = createNarrator(true);
  const world = await openWorld(directory, images, narrator);
  try {
    const job = await runMainJob(world, narrator, () => undefined);
    if (!job.ok) throw new Error('the main job failed before anything was rotated');
    const started = performance.now();
    const outcome = await rotateUnderLoad({ world, result: job, times, clients });
    return {
      bench: 'rotation',
      machine: describeMachine(),
      images,
      clients,
      rotations: outcome.rotations,
      lists: outcome.lists,
      downloads: outcome.downloads,
      failed: outcome.failures.length,
      failures: outcome.failures.slice(0, 10),
      lastInService: (await serialServed(world)) === outcome.lastSerial,
      stepMs: { p50: quantile(outcome.stepMs, 0.5), p99: quantile(outcome.stepMs, 0.99) },
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } finally {
    await world.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function text(result: RotationResult): string {
  const { rotations, lists, downloads, images, clients, failed, stepMs, seconds, lastInService, failures } = result;
  const lines = [
    `${rotations} certificates and ${lists} whitelists in ${seconds} s; ${clients} clients, ${downloads} downloads of ${images} images`,
    `failed requests: ${failed}; the last certificate ${lastInService ? 'serves' : 'DOES NOT SERVE'}`,
    `both in force after ${stepMs.p50} ms (median), ${stepMs.p99} ms (p99)`,
    ...failures,
  ];
  return `\n${lines.join('\n')}\n`;
}
