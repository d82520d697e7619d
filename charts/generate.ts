/**
 * Writes what the charts have from elsewhere: the CRDs from crds/, and Envoy's bootstrap from the function that the operator tests;
 * the table of values in docs/install.md; then kustomize/ from the charts. Helm is built at its first use (2 min).
 *
 * usage: node charts/generate.ts
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderText } from '../e2e/charts/chart.ts';
import { clusterBootstrap, type ClusterBootstrapOptions } from '../operator/ingress/cluster-bootstrap.ts';
import { kustomizeFiles } from './kustomize.ts';
import { valuesTable } from './values-table.ts';

const root = join(import.meta.dirname, '..');

/** Values of the chart stand where these numbers are: unlike any other number in the files. */
const [heap, connections] = [1_234_567_891, 1_234_567_892];

/** What the chart's values make of it; the rest is the same in every installation. */
export function chartBootstrapOptions(values: {
  readonly maxHeapMiB: number;
  readonly maxConnections: number;
}): ClusterBootstrapOptions {
  return {
    // Without a namespace: found by the search list of the pod's own, so the same files do in each.
    controlPlane: { host: 'drimbox-operator', port: 18_000, serverName: 'control.drimbox.internal' },
    identityFolder: '/etc/drimbox/identity',
    configFolder: '/etc/drimbox/envoy',
    adminPort: 19_000,
    probe: { host: '0.0.0.0', port: 19_001 },
    maxHeapBytes: values.maxHeapMiB * 1_048_576,
    maxConnections: values.maxConnections,
  };
}

/** Path from the root to content. */
export function generated(): Readonly<Record<string, string>> {
  return { ...bootstrapFiles(), ...crdTemplates(), ...valuesPage() };
}

/** The page as it is, with the table of values as it should be. */
function valuesPage(): Record<string, string> {
  const page = readFileSync(join(root, 'docs/install.md'), 'utf8');
  const table = valuesTable(readFileSync(join(root, 'charts/drimbox/values.yaml'), 'utf8'));
  const place = /(<!-- values: .*-->\n)[\s\S]*(<!-- end of values -->)/;
  if (!place.test(page)) throw new Error('docs/install.md has no place for the values');
  return { 'docs/install.md': page.replace(place, (_all, begin: string, end: string) => `${begin}${table}${end}`) };
}

function bootstrapFiles(): Record<string, string> {
  const options = chartBootstrapOptions({ maxHeapMiB: 1, maxConnections: connections });
  const files = clusterBootstrap({ ...options, maxHeapBytes: heap });
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      `charts/drimbox/files/envoy/${name}`,
      `${JSON.stringify(content, undefined, 2)
        .replace(String(heap), '{{ mul .Values.ingress.maxHeapMiB 1048576 }}')
        .replace(String(connections), '{{ int .Values.ingress.maxConnections }}')}\n`,
    ]),
  );
}

const keep = `  {{- if .Values.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
`;

function crdFiles(): (readonly [string, string])[] {
  return readdirSync(join(root, 'crds'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [name, readFileSync(join(root, 'crds', name), 'utf8')] as const);
}

function crdTemplates(): Record<string, string> {
  return Object.fromEntries(
    crdFiles().map(([name, text]) => {
      if (text.includes('{{')) throw new Error(`crds/${name} has {{, which Helm would take for its own`);
      const parts = text.split(/^(?<head>metadata:\n {2}name: .+\n)/m);
      const [before, head, after] = parts;
      if (parts.length !== 3 || before === undefined || head === undefined || after === undefined)
        throw new Error(`crds/${name}: metadata with a name, once, was expected`);
      return [`charts/drimbox-crds/templates/${name}`, before + head + keep + after];
    }),
  );
}

/** Path from the root to content. */
export async function generatedForKustomize(): Promise<Readonly<Record<string, string>>> {
  const files = kustomizeFiles(await renderText(), Object.fromEntries(crdFiles()));
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [`kustomize/${path}`, content]));
}

if (import.meta.main) {
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
  };
  write(generated());
  // From the chart as it is now.
  const kustomize = await generatedForKustomize();
  rmSync(join(root, 'kustomize'), { recursive: true, force: true });
  write(kustomize);
}
