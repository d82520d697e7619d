/** A result as tables of docs/measurements.md, and its place there. */
import { meanings, ratioRows } from './table.ts';
import type { BenchResult, LegResult, Setting } from './result.ts';

const [begin, end] = ['<!-- bench retrieve: begin -->', '<!-- bench retrieve: end -->'];

/** @throws Error when the document has no such place */
export function replaceFigures(document: string, result: BenchResult): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`the document has no lines "${begin}" and "${end}": add them where the figures go`);
  return `${document.slice(0, from + begin.length)}\n\n${figures(result)}\n\n${document.slice(to)}`;
}

function figures({ machine, images, bytes, runs, settings, skipped, equal }: BenchResult): string {
  const about =
    `${images} CT images, ${(bytes / 1e6).toFixed(0)} MB, ${runs} runs after one to warm up; ${machine.cores} cores ` +
    `(${machine.processor}), ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ${machine.node}, Linux ${machine.kernel}, load before ${machine.loadBefore}. ` +
    (equal ? 'Every image was equal.' : '**Images were missing or different.**');
  const left = skipped.map(({ what, why }) => `Not measured: ${what} (${why}).`);
  return [about, ...settings.map(section), ...left].join('\n\n');
}

function section({ link, nagle, legs, ratios }: Setting): string {
  const title = `### ${link === 'none' ? 'Loopback' : `Links of ${link}`}, PACS ${nagle ? 'with' : 'without'} Nagle`;
  const head =
    '| | wall, median (runs) | first image | CPU seconds, median | peak memory, largest |\n|---|---|---|---|---|';
  const list = ratioRows(ratios).map(([name, ratio]) => `- ${name}: **${ratio.toFixed(2)}**`);
  return [title, '', head, ...legs.map(row), '', ...list].join('\n').trimEnd();
}

function row({ leg, runs, median, costs }: LegResult): string {
  const all = runs.map(({ wallMs }) => wallMs.toFixed(0)).join(', ');
  const first = median.firstImageMs === undefined ? '' : `${median.firstImageMs.toFixed(0)} ms`;
  const each = Object.entries(costs);
  const cpu = each.map(([name, { cpuSeconds }]) => `${name} ${cpuSeconds.toFixed(2)}`).join(', ');
  const peak = each.map(([name, { peakBytes }]) => `${name} ${(peakBytes / 1e6).toFixed(0)} MB`).join(', ');
  return `| ${meanings[leg]} | ${median.wallMs.toFixed(0)} ms (${all}) | ${first} | ${cpu} | ${peak} |`;
}
