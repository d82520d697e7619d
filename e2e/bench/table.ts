/** A result as people read it. */
import type { BenchResult, LegName, LegResult, Ratios, Setting } from './result.ts';

export const meanings: Readonly<Record<LegName, string>> = {
  bare: 'bare C-MOVE: movescu, storescp',
  memory: 'same bytes from memory, same Envoy',
  'ours-direct': 'drimbox without Envoy',
  ours: 'drimbox through Envoy, mutual TLS',
  'ours-slow-client': 'the same, client pausing at each read',
};

export function table(result: BenchResult): string {
  const { machine, images, bytes, settings, skipped, equal } = result;
  const head = `${images} images, ${(bytes / 1e6).toFixed(0)} MB; ${machine.cores} cores (${machine.processor}), ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ${machine.node}, Linux ${machine.kernel}`;
  const left = skipped.map(({ what, why }) => `not measured: ${what}: ${why}`);
  const verdict = equal ? 'every image equal' : 'IMAGES MISSING OR DIFFERENT';
  return `\n${[head, ...settings.map(settingText), ...left, verdict].join('\n\n')}\n`;
}

function settingText({ link, nagle, legs, ratios }: Setting): string {
  const title = `${link === 'none' ? 'loopback' : `links of ${link}`}, PACS ${nagle ? 'with' : 'without'} Nagle`;
  return [title, ...legs.flatMap(legText), ...ratioText(ratios)].join('\n');
}

function legText({ leg, runs, median, costs: each }: LegResult): readonly string[] {
  const first = median.firstImageMs === undefined ? '' : `, first image ${median.firstImageMs.toFixed(0)} ms`;
  const all = runs.map(({ wallMs }) => wallMs.toFixed(0)).join(' ');
  const costs = Object.entries(each).map(
    ([name, { cpuSeconds, peakBytes }]) => `${name} ${cpuSeconds.toFixed(2)} s ${(peakBytes / 1e6).toFixed(0)} MB`,
  );
  return [
    `  ${meanings[leg].padEnd(36)} ${median.wallMs.toFixed(0).padStart(6)} ms${first}   (${all})`,
    `    CPU and peak memory: ${costs.join(', ')}`,
  ];
}

function ratioText(ratios: Ratios): readonly string[] {
  return ratioRows(ratios).map(([name, ratio]) => `  ${name.padEnd(40)} ${ratio.toFixed(2)}`);
}

export function ratioRows({
  oursToBare,
  oursToDirect,
  oursToBothHalves,
}: Ratios): readonly (readonly [string, number])[] {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ['drimbox / bare C-MOVE', oursToBare],
    ['with Envoy / without', oursToDirect],
    ['drimbox / (bare C-MOVE + from memory)', oursToBothHalves],
  ];
  return rows.flatMap(([name, ratio]) => (ratio === undefined ? [] : [[name, ratio] as const]));
}
