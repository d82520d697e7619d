/** The operator as a process with the rights that the chart gives it, in both modes: it does all its work and is refused nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startClusterOperator } from '../parts/cluster-operator.ts';
import { type Kube, startKube } from '../parts/kube.ts';
import { createPki } from '../parts/pki.ts';
import { freePort } from '../parts/ports.ts';
import { type Json, applyResource, startRegion } from '../parts/region.ts';
import { grant, mountAccount } from './account.ts';
import { render } from './chart.ts';

const [namespace, sites] = ['drimbox', 'ght'];

async function list(kube: Kube, path: string): Promise<readonly Json[]> {
  return ((await kube.request('GET', path)).body['items'] ?? []) as readonly Json[];
}

function names(objects: readonly Json[]): string[] {
  return objects.map(({ metadata }) => (metadata as { readonly name: string }).name);
}

function conditionOf({ status }: Json, type: string): string | undefined {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly Record<string, string>[] };
  return conditions.find((one) => one['type'] === type)?.['status'];
}

async function until(what: string, holds: () => Promise<boolean>, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await holds()) return;
    await sleep(200);
  }
  throw new Error(`${what}: not within a minute\n${log().slice(-3_000)}`);
}

const modes: Readonly<Record<string, readonly string[]>> = {
  'of the whole cluster': [],
  'of named namespaces': [sites],
};

for (const [mode, watchNamespaces] of Object.entries(modes))
  test(`an operator ${mode} does all its work and is refused nothing`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'drimbox-rights-'));
    const kube = await startKube();
    const parts: { stop(): Promise<void> }[] = [];
    try {
      for (const name of [namespace, sites]) await kube.request('POST', '/api/v1/namespaces', { metadata: { name } });
      await kube.installCrds(await render({ chart: 'drimbox-crds' }));
      await grant(kube, await render({ namespace, set: { watchNamespaces } }));
      const pki = await createPki(join(directory, 'pki'));
      const region = await startRegion({ kube, pki, directory, namespace: sites, sites: 2, pacs: 2 });
      parts.push(region);
      await applyResource(kube, region.trustSpace);
      for (const resource of region.sites.flatMap(({ documents }) => documents))
        await applyResource(kube, asked(resource));
      const operator = await startClusterOperator({
        kube,
        account: await mountAccount(kube, namespace),
        instance: 'operator-a',
        namespaces: watchNamespaces,
        gatewayUrl: region.gatewayUrl,
        logFile: join(directory, 'operator.log'),
        proxyPort: await freePort(),
      });
      parts.push(operator);
      const api = '/apis/drimbox.dev/v1alpha1';
      const isDone = async (): Promise<boolean> => {
        const found = await list(kube, `${api}/namespaces/${sites}/drimboxsites`);
        const links = await list(kube, `${api}/namespaces/${sites}/pacslinks`);
        const trust = await list(kube, `${api}/trustspaces`);
        return (
          found.length === 2 &&
          found.every((site) => conditionOf(site, 'WorkloadAvailable') === 'True') &&
          links.length === 4 &&
          links.every((link) => conditionOf(link, 'CertificatesReady') === 'True') &&
          trust.every((one) => conditionOf(one, 'WhitelistVerified') === 'True')
        );
      };
      await until('every site runs', isDone, () => operator.log());
      assert.is((await list(kube, `/apis/apps/v1/namespaces/${sites}/statefulsets`)).length, 2);
      assert.is((await list(kube, `/apis/networking.k8s.io/v1/namespaces/${sites}/networkpolicies`)).length, 2);
      assert.is((await list(kube, `/api/v1/namespaces/${sites}/persistentvolumeclaims`)).length, 2);
      assert.is((await list(kube, `/api/v1/namespaces/${sites}/services`)).length, 4);
      const secrets = names(await list(kube, `/api/v1/namespaces/${namespace}/secrets`));
      assert.equal(secrets.toSorted(), ['drimbox-ingress-control', 'drimbox-internal-authority']);
      const kept = async (): Promise<boolean> =>
        names(await list(kube, `/api/v1/namespaces/${sites}/secrets`)).includes('site-1-pacs-1-db-key');
      await until('a key asked for is made and kept', kept, () => operator.log());
      const told = async (): Promise<boolean> =>
        (await list(kube, '/apis/events.k8s.io/v1/namespaces/default/events')).length > 0 &&
        (await list(kube, `/apis/events.k8s.io/v1/namespaces/${sites}/events`)).length > 0;
      await until('events tell it, those of the trust space in default', told, () => operator.log());
      const page = await (await fetch(`http://127.0.0.1:${operator.metricsPort}/metrics`)).text();
      assert.match(page, /^rest_client_requests_total\{[^}]*code="200"/m);
      assert.equal(
        page.split('\n').filter((line) => /^rest_client_requests_total\{[^}]*code="(401|403)"[^}]*\} [1-9]/.test(line)),
        [],
      );
    } finally {
      for (const part of parts.toReversed()) await part.stop();
      await kube.stop();
      rmSync(directory, { recursive: true });
    }
  });

/** One link asks for a new key, which the operator makes and keeps in a Secret. */
function asked(resource: Json): Json {
  const metadata = resource['metadata'] as { readonly name: string };
  if (resource['kind'] !== 'PacsLink' || metadata.name !== 'site-1-pacs-1') return resource;
  return { ...resource, metadata: { ...metadata, annotations: { 'drimbox.dev/request-certificate': 'db' } } };
}

test.run();
