/**
 * Lines of the metrics page that stand there for every resource: sixty thousand of them in a region. Made once for each status and
 * kept as long as it is the same object; a gauge of the library would make every line anew at each look.
 */
import type { ResourceStatus } from '../plan/status.ts';

type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

export interface ResourceFamily {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Samples of one resource. */
  readonly read: (resource: ResourceStatus) => readonly Sample[];
}

const kept = new WeakMap<ResourceStatus, Map<string, string>>();

/** Lines without the last line break; empty when there are none. @param breathe asked after each resource */
export async function resourceLines(
  family: ResourceFamily,
  resources: readonly ResourceStatus[],
  breathe: () => Promise<void>,
): Promise<string> {
  const parts: string[] = [];
  for (const resource of resources) {
    const lines = linesOf(family, resource);
    if (lines !== '') parts.push(lines);
    await breathe();
  }
  return parts.join('\n');
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
