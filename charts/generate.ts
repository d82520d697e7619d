/**
 * Writes what the charts have from elsewhere: the CRDs from crds/, and Envoy's bootstrap from the function that the operator tests.
 *
 * usage: node charts/generate.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterBootstrap, type ClusterBootstrapOptions } from '../operator/ingress/cluster-bootstrap.ts';

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
  return { ...bootstrapFiles(), ...crdTemplates() };
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

function crdTemplates(): Record<string, string> {
  const files = readdirSync(join(root, 'crds')).filter((name) => name.endsWith('.yaml'));
  return Object.fromEntries(
    files.map((name) => {
      const text = readFileSync(join(root, 'crds', name), 'utf8');
      if (text.includes('{{')) throw new Error(`crds/${name} has {{, which Helm would take for its own`);
      const parts = text.split(/^(?<head>metadata:\n {2}name: .+\n)/m);
      const [before, head, after] = parts;
      if (parts.length !== 3 || before === undefined || head === undefined || after === undefined)
        throw new Error(`crds/${name}: metadata with a name, once, was expected`);
      return [`charts/drimbox-crds/templates/${name}`, before + head + keep + after];
    }),
  );
}

if (import.meta.main)
  for (const [path, content] of Object.entries(generated())) writeFileSync(join(root, path), content);
