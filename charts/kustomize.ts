/** The chart with its default values as a base for Kustomize: one file per object, nothing of Helm's in it. Pure. */
import { parse } from 'yaml';

/**
 * @param rendered what `helm template` printed, in namespace `drimbox`
 * @param crds file name to content
 * @returns path below kustomize/ to content
 */
export function kustomizeFiles(rendered: string, crds: Readonly<Record<string, string>>): Record<string, string> {
  const objects = rendered
    .split(/^---$/m)
    .map(withoutHelm)
    .filter((text) => parse(text) !== null)
    .map((text) => [nameOf(text), text] as const);
  const names = objects.map(([name]) => name);
  if (new Set(names).size !== names.length) throw new Error(`two objects of one kind and name: ${names.join(' ')}`);
  const below = (folder: string, files: readonly (readonly [string, string])[]): [string, string][] =>
    files.map(([name, text]) => [`${folder}/${name}`, text]);
  return Object.fromEntries([
    ...below('base', objects),
    ['base/namespace.yaml', namespace],
    ['base/kustomization.yaml', kustomization(['namespace.yaml', ...names.toSorted()], 'namespace: drimbox\n')],
    ...below('crds', Object.entries(crds)),
    ['crds/kustomization.yaml', kustomization(Object.keys(crds).toSorted(), '')],
  ]);
}

const namespace = `# Its pods are as strict as PodSecurity knows.
apiVersion: v1
kind: Namespace
metadata:
  name: drimbox
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

function kustomization(resources: readonly string[], more: string): string {
  const list = resources.map((name) => `  - ${name}\n`).join('');
  return `# Made by charts/generate.ts.\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${more}resources:\n${list}`;
}

function withoutHelm(text: string): string {
  const lines = text.split('\n').filter((line) => !/^# Source: |helm\.sh\/chart:|managed-by: Helm$/.test(line));
  return `${lines
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n')}\n`;
}

function nameOf(text: string): string {
  const { kind, metadata } = parse(text) as { readonly kind: string; readonly metadata: { readonly name: string } };
  return `${kind.replaceAll(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase()}-${metadata.name}.yaml`;
}
