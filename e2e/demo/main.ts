/** `./drimbox demo`: two sites with real parts, one report and one series all the way. */
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createNarrator, type Step } from './narrator.ts';
import { openSeriesFolder, writeOutputs } from './outputs.ts';
import { type DemoResult, type DemoWorld, openWorld, runMainJob } from './scenario.ts';
import { fqdnOf, namespace } from './world.ts';
import { runCommand } from '../tools/command.ts';

const usage = `usage: drimbox demo [--once] [--out DIR] [--images N] [--json]

Two sites with Orthanc, Envoy and simulators of the national services: a report goes in, its KOS reaches the DMP, the series is
fetched as a remote DRIMbox would and compared byte for byte with the PACS. Stays up until Ctrl-C unless --once.

  --once       stop after the summary
  --out DIR    leave report, CDA, KOS, ITI-41 request, images, metrics, summary and curl.sh in DIR
  --images N   CT images of the exam, 1 to 2000 (default 60)
  --json       one JSON object on standard output; steps go to standard error only without it

Exit codes: 0 every step is as it should be, 1 one is not, 2 wrong usage.
`;

interface Options {
  readonly once: boolean;
  readonly out: string | undefined;
  readonly images: number;
  readonly json: boolean;
}

function readOptions(): Options | number {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      out: { type: 'string' },
      images: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const images = Number(values.images);
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (!Number.isInteger(images) || images < 1 || images > 2000) {
    process.stderr.write(`drimbox demo: --images ${values.images}: a whole number from 1 to 2000\n`);
    return 2;
  }
  return {
    once: values.once,
    out: values.out === undefined ? undefined : resolve(values.out),
    images,
    json: values.json,
  };
}

function summaryOf(result: DemoResult, steps: readonly Step[], out: string | undefined): object {
  const { ok, report, kos, dmp, retrieve, health } = result;
  return {
    ok,
    steps,
    report: { ack: report.ack },
    kos: {
      sopInstanceUid: kos.sopInstanceUid,
      instances: kos.instances,
      file: out === undefined ? null : join(out, 'kos.dcm'),
    },
    dmp,
    retrieve,
    health,
  };
}

function table(result: DemoResult, world: DemoWorld): string {
  const { report, kos, dmp, retrieve, health, artefacts } = result;
  const rows: readonly (readonly [string, string])[] = [
    ['report', `${report.ack} (${report.controlId})`],
    ['KOS', `${kos.sopInstanceUid}, ${kos.instances} instances, ${kos.bytes} bytes, dciodvfy ${kos.errors} errors`],
    ['DMP', dmp.entryUuid],
    [
      'series',
      `HTTP ${retrieve.status}, ${retrieve.instances} images, ${(retrieve.bytes / 1e6).toFixed(1)} MB, ${retrieve.identical ? 'identical to the PACS' : 'DIFFERENT FROM THE PACS'}`,
    ],
    ['times', `first image ${retrieve.firstImageMs} ms, all ${retrieve.totalMs} ms`],
    ['health', `drimbox ${health.drimbox}, pacs ${health.pacs}`],
    ['RetrieveURL', artefacts.retrieveUrl],
    ['MLLP', world.sites.map(({ spec }) => `${spec.name} 127.0.0.1:${spec.mllpPort}`).join(', ')],
    ['PACS', world.sites.map(({ spec, orthanc }) => `${spec.name} http://127.0.0.1:${orthanc.httpPort}`).join(', ')],
    ['ingress', `127.0.0.1:${world.ports.public} (${fqdnOf('db', 'nord')}, ${fqdnOf('vi', 'nord')}, …)`],
  ];
  const resources = (world.operator.status()?.resources ?? []).map(({ kind, key, conditions }) => {
    const ready = conditions.find(({ type }) => type === 'Ready');
    return `  ${`${kind} ${key}`.padEnd(32)} Ready=${ready?.status ?? '?'} ${ready?.reason ?? ''}`;
  });
  return `\n${rows.map(([name, value]) => `  ${name.padEnd(12)} ${value}`).join('\n')}\n\n${resources.join('\n')}\n`;
}

function hints(world: DemoWorld, out: string | undefined): string {
  return `
Up until Ctrl-C. Try next:
  ./drimbox status --state ${world.operator.state}
  edit ${join(world.directory, 'resources', 'nord.yaml')}: it is applied live
  ${out === undefined ? 'run again with --out DIR for the report, the KOS, the ITI-41 request and a curl.sh' : `sh ${join(out, 'curl.sh')}`}
  logs: ${join(world.operator.state, 'sites', namespace, 'nord', 'gateway.log')}
`;
}

async function run(options: Options): Promise<number> {
  // short, and one for each demo: Unix sockets live below it, and two demos must not meet
  const directory = resolve('.drimbox', `demo-${process.pid}`);
  const narrator = createNarrator(options.json);
  if (options.out !== undefined) mkdirSync(options.out, { recursive: true });
  const world = await openWorld(directory, options.images, narrator);
  try {
    const onImage = options.out === undefined ? () => undefined : openSeriesFolder(options.out);
    const result = await runMainJob(world, narrator, onImage);
    const summary = summaryOf(result, narrator.steps, options.out);
    if (options.out !== undefined) writeOutputs(options.out, world, result, summary);
    process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : table(result, world));
    if (!options.once) {
      if (!options.json) process.stdout.write(hints(world, options.out));
      const told = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => told.abort());
      await once(told.signal, 'abort');
    }
    return result.ok ? 0 : 1;
  } finally {
    await world.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

await runCommand('drimbox demo', usage, () => {
  const options = readOptions();
  return typeof options === 'number' ? options : run(options);
});
