/** `drimbox explain`: why something is not ready, and what to do about it, on a cluster or on one host. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readStatus } from '../controllers/status-document.ts';
import { stateFolder } from '../infrastructure/host/state-folder.ts';
import { kubeconfigAccess } from '../resources/kubernetes/kubeconfig-access.ts';
import { createKubeClient } from '../resources/kubernetes/client.ts';
import { explainedFromCluster } from './explain-cluster.ts';
import { type Explained, type Target, writeExplanation } from './explanation.ts';

export const explainUsage = `usage: drimbox explain [KIND/[NAMESPACE/]NAME] [--kubeconfig FILE] [--context NAME] [--namespace NAME]
                       [--state DIR] [--json]

Says why a resource is not ready, what else it depends on, and what to do. KIND is site, link or trust; without one, everything that
is not ready. Also as \`kubectl drimbox explain ...\`, with bin/kubectl-drimbox on the PATH.

  --kubeconfig FILE  of the cluster (default $KUBECONFIG, or ~/.kube/config when there is one)
  --context NAME     of that file
  --namespace NAME   when KIND/NAME names none (default: that of the context)
  --state DIR        an operator on this host instead: its state folder
  --json             for scripts

Exit codes: 0 all of it is ready, 1 something is not, 2 wrong usage or no such resource.
`;

const kinds: Readonly<Record<string, Explained['kind']>> = {
  site: 'DrimboxSite',
  drimboxsite: 'DrimboxSite',
  dbx: 'DrimboxSite',
  link: 'PacsLink',
  pacslink: 'PacsLink',
  pacs: 'PacsLink',
  trust: 'TrustSpace',
  trustspace: 'TrustSpace',
};

/** `site/nord`, `site/ght/nord`, `trust/test`. @returns why not, in words, when it is none */
export function readTarget(text: string): Target | string {
  const [word = '', ...rest] = text.split('/');
  const kind = kinds[word.toLowerCase()];
  if (kind === undefined) return `${word}: no such kind; one of site, link, trust`;
  const [first, second] = rest;
  if (first === undefined || first === '' || rest.length > 2) return `${text}: give KIND/NAME or KIND/NAMESPACE/NAME`;
  return second === undefined ? { kind, name: first } : { kind, namespace: first, name: second };
}

/** @returns the exit code */
export async function explain(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      namespace: { type: 'string', short: 'n' },
      state: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const asked = positionals[0] === undefined ? undefined : readTarget(positionals[0]);
  if (values.help || positionals.length > 1 || typeof asked === 'string') {
    if (typeof asked === 'string') process.stderr.write(`drimbox: ${asked}\n`);
    (values.help ? process.stdout : process.stderr).write(explainUsage);
    return values.help ? 0 : 2;
  }
  const found =
    values.state === undefined
      ? await fromCluster(
          { kubeconfig: values.kubeconfig, context: values.context, namespace: values.namespace },
          asked,
        )
      : fromHost(resolve(values.state), asked);
  if (found.length === 0) {
    process.stderr.write(
      asked === undefined ? 'drimbox: there are no resources\n' : `drimbox: there is no ${asked.kind} ${asked.name}\n`,
    );
    return 2;
  }
  const ready = found.every(isReady);
  const shown = asked === undefined ? found.filter((one) => !isReady(one)) : found;
  process.stdout.write(
    values.json ? `${JSON.stringify(found, undefined, 2)}\n` : writeExplanation(shown, found.length),
  );
  return ready ? 0 : 1;
}

function isReady({ conditions }: Explained): boolean {
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function fromHost(state: string, asked: Target | undefined): Explained[] {
  const status = readStatus(stateFolder(state).statusFile);
  if (status === undefined) throw new Error(`no operator ever ran with the state folder ${state}`);
  const all = status.resources.map(({ kind, key, generation, conditions, observedGeneration }): Explained => ({
    kind,
    key,
    generation,
    observedGeneration,
    conditions,
    notes: [],
  }));
  return asked === undefined ? all : all.filter((one) => isAsked(one, asked));
}

function isAsked({ kind, key }: Explained, asked: Target): boolean {
  if (kind !== asked.kind) return false;
  return asked.namespace === undefined
    ? key.split('/').at(-1) === asked.name
    : key === `${asked.namespace}/${asked.name}`;
}

interface ClusterWish {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string | undefined;
}

async function fromCluster(wish: ClusterWish, asked: Target | undefined): Promise<Explained[]> {
  const file = wish.kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube/config');
  if (!existsSync(file))
    throw new Error(
      `${file} does not exist; name a cluster with --kubeconfig FILE, or an operator on this host with --state DIR`,
    );
  const access = await kubeconfigAccess(file, wish.context);
  const client = createKubeClient({ access, userAgent: 'drimbox-explain' });
  try {
    return await explainedFromCluster(client, asked, wish.namespace ?? access.namespace);
  } finally {
    await client.close();
  }
}
