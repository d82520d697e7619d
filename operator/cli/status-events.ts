/** The latest events as a table, newest last. Pure. */
import type { KeptEvent } from '../observability/kept-events.ts';

export function writeEvents(events: readonly KeptEvent[]): string {
  if (events.length === 0) return 'no events';
  const head = ['LAST', 'COUNT', 'FIRST', 'LEVEL', 'EVENT', 'SUBJECT'];
  const rows = events.map((e) => [
    second(e.lastTime),
    String(e.count),
    second(e.firstTime),
    e.level,
    e.event,
    e.subject,
  ]);
  const widths = head.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[], rest: string): string =>
    [...cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)), rest].join('  ').trimEnd();
  return [
    line(head, 'WHAT'),
    ...events.map(({ reason, message }, index) =>
      line(rows[index] ?? [], [reason, message].filter((part) => part !== '').join(': ')),
    ),
  ].join('\n');
}

function second(time: string): string {
  return `${time.slice(0, 19)}Z`;
}
