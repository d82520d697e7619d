/** The charts as the real Helm renders them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { ensureKubernetes } from '../parts/kubernetes/ensure.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Standard output. @throws Error with Helm's words */
export async function helm(...args: readonly string[]): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'drimbox-helm-'));
  try {
    // Nothing of the user's own Helm: no plugins, no repositories, no cluster.
    const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: join(home, 'none') };
    const program = join(await ensureKubernetes(['helm']), 'helm');
    return (await run(program, args, { cwd: root, env, maxBuffer: 64 * 1024 * 1024 })).stdout;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

export interface RenderOptions {
  readonly chart?: 'drimbox' | 'drimbox-crds';
  readonly namespace?: string;
  /** Absolute. */
  readonly valuesFile?: string;
  /** For `--set-json`: `{ 'operator.replicas': 3 }`. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Kinds the cluster has beyond Kubernetes' own. */
  readonly apiVersions?: readonly string[];
}

/** As YAML, as Helm prints it. @throws Error with Helm's words, e.g. of the schema */
export async function renderText(options: RenderOptions = {}): Promise<string> {
  const { chart = 'drimbox', namespace = 'drimbox', valuesFile, set = {}, apiVersions = [] } = options;
  return await helm(
    'template',
    'drimbox',
    `charts/${chart}`,
    '--namespace',
    namespace,
    ...(valuesFile === undefined ? [] : ['--values', valuesFile]),
    ...Object.entries(set).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]),
    ...apiVersions.flatMap((version) => ['--api-versions', version]),
  );
}

export async function render(options: RenderOptions = {}): Promise<Rendered[]> {
  return parseAllDocuments(await renderText(options))
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

export function find(objects: readonly Rendered[], kind: string, name: string): Rendered {
  const object = objects.find((one) => one.kind === kind && one.metadata.name === name);
  if (object === undefined) throw new Error(`the chart has no ${kind} ${name}`);
  return object;
}

const plurals: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies' };

/** Path of an object in the API. */
export function apiPath({ apiVersion, kind, metadata }: Rendered): string {
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${group}${inside}/${plural}/${metadata.name}`;
}
