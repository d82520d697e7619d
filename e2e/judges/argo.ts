/** What Argo CD says of a resource of ours, by the very scripts that docs/install.md gives to copy, run as it runs them (lua/main.go). */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { goJudge } from './go.ts';

export interface Health {
  readonly status: string;
  readonly message: string;
}

interface Resource {
  readonly kind: string;
}

/** Kind to Lua. @throws Error when the document has none */
export function healthScripts(): ReadonlyMap<string, string> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/install.md'), 'utf8');
  const [, block] = /```yaml\n(resource\.customizations\.health[\s\S]*?)```/.exec(page) ?? [];
  if (block === undefined) throw new Error('docs/install.md has no health checks for Argo CD');
  const settings = Object.entries(parse(block) as Readonly<Record<string, string>>);
  return new Map(settings.map(([key, script]) => [key.replace(/^.*drimbox\.dev_/, ''), script]));
}

/** @returns in the order of the resources @throws Error with Lua's words */
export async function argoHealth(resources: readonly Resource[]): Promise<readonly Health[]> {
  const scripts = healthScripts();
  const program = await goJudge('lua');
  return resources.map((resource) => {
    const input = JSON.stringify({ script: scripts.get(resource.kind) ?? '', objects: [resource] });
    const { status, stdout, stderr } = spawnSync(program, { input, encoding: 'utf8' });
    const [health] = status === 0 ? (JSON.parse(stdout) as readonly Health[]) : [];
    if (health === undefined) throw new Error(`${resource.kind}: ${stderr}`);
    return health;
  });
}
