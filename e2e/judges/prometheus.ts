/** What Prometheus says of rules and of a page of metrics (promtool of Debian), and a strict reader of such pages beside it. */
import { spawnSync } from 'node:child_process';

/** @returns what is wrong, one line each */
export function judgeMetrics(page: string): readonly string[] {
  return [...readStrictly(page), ...promtool(['check', 'metrics'], page)];
}

/**
 * @param input for its standard input
 * @returns nothing when it is content, else its exit code and words
 * @throws Error when it is not installed (Debian: prometheus)
 */
export function promtool(args: readonly string[], input = ''): readonly string[] {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  // it speaks of its success too, but for metrics
  const words = `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const content = status === 0 && (args[1] !== 'metrics' || words.length === 0);
  return content ? [] : [`promtool: ${status}`, ...words];
}

/** `Nan` is how prom-client spells it; ParseFloat, by which Prometheus reads, takes any case. */
const sample =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|Na[Nn])$/;

/** The text format 0.0.4: HELP, then TYPE, then the samples of that family, none twice. */
function readStrictly(page: string): readonly string[] {
  const wrong: string[] = [];
  const seen = new Set<string>();
  let family = { name: '', type: '' };
  let helped = '';
  if (!page.endsWith('\n')) wrong.push('the page does not end with a line feed');
  for (const line of page.split('\n').filter((one) => one !== '')) {
    const [, comment, name = '', words = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (comment === 'HELP') {
      if (words === '' || seen.has(`family ${name}`)) wrong.push(`help: ${line}`);
      seen.add(`family ${name}`);
      helped = name;
    } else if (comment === 'TYPE') {
      if (name !== helped) wrong.push(`type without help: ${line}`);
      if ((words === 'counter') !== name.endsWith('_total')) wrong.push(`only counters end with _total: ${line}`);
      family = { name, type: words };
    } else {
      const [, own = '', labels = ''] = sample.exec(line) ?? [];
      const base = ['histogram', 'summary'].includes(family.type) ? own.replace(/_(?:bucket|sum|count)$/, '') : own;
      if (base === '' || base !== family.name) wrong.push(`not a sample of ${family.name}: ${line}`);
      if (seen.has(own + labels)) wrong.push(`twice: ${line}`);
      seen.add(own + labels);
    }
  }
  return wrong;
}
