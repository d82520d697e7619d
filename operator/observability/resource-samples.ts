/**
 * Lines of the metrics page that stand there for every resource: sixty thousand of them in a region, which nobody keeps between two looks.
 * A gauge of the library would make an object of each first; here each is three texts put together.
 */
import type { ResourceStatus } from '../plan/status.ts';
import { breathe } from '../turns.ts';

/** Labels of one sample beside those of its resource, as they stand in its line: '' or `,type="Ready",status="True"`. */
export type ResourceSample = readonly [more: string, value: number];

export interface ResourceFamily {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Samples of one resource. */
  readonly read: (resource: ResourceStatus) => readonly ResourceSample[];
}

export const resourceLabels = ['kind', 'namespace', 'name'] as const;

const pieceLength = 65_536;

/** Lines of all resources, some kilobytes at a time. */
export async function* resourceLines(
  { name, read }: ResourceFamily,
  resources: readonly ResourceStatus[],
): AsyncGenerator<string, void, undefined> {
  let piece = '';
  for (const resource of resources) {
    const head = `${name}{${labelsOf(resource)}`;
    for (const [more, value] of read(resource)) piece += `${head}${more}} ${value}\n`;
    await breathe();
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function labelsOf({ kind, key }: ResourceStatus): string {
  const [first = '', second] = key.split('/');
  const [namespace, name] = second === undefined ? ['', first] : [first, second];
  return `kind="${kind}",namespace="${escaped(namespace)}",name="${escaped(name)}"`;
}

/** Prometheus text format: backslash, quote and line feed. */
export function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
