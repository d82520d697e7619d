/**
 * Lines of the metrics page that stand there for every resource: sixty thousand of them in a region. Made once for each status and
 * kept as long as it is the same object; a gauge of the library would make every line anew at each look.
 */
import type { ResourceStatus } from '../plan/status.ts';
import { breathe } from '../turns.ts';

type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

export interface ResourceFamily {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Samples of one resource. */
  readonly read: (resource: ResourceStatus) => readonly Sample[];
}

const pieceLength = 65_536;
const kept = new WeakMap<ResourceStatus, Map<string, string>>();

/** Lines of all resources, some kilobytes at a time. */
export async function* resourceLines(
  family: ResourceFamily,
  resources: readonly ResourceStatus[],
): AsyncGenerator<string, void, undefined> {
  let piece = '';
  for (const resource of resources) {
    const lines = linesOf(family, resource);
    if (lines !== '') piece += `${lines}\n`;
    await breathe();
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function linesOf({ name, read }: ResourceFamily, resource: ResourceStatus): string {
  const known = kept.get(resource) ?? new Map<string, string>();
  kept.set(resource, known);
  const made =
    known.get(name) ??
    read(resource)
      .map((sample) => lineOf(name, sample))
      .join('\n');
  known.set(name, made);
  return made;
}

function lineOf(name: string, [labels, value]: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}{${pairs.join(',')}} ${value}`;
}

/** Prometheus text format: backslash, quote and line feed. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
