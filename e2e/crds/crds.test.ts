/** The CRDs in a real kube-apiserver: they install, and every CEL rule accepts and refuses what it should. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { startKube } from '../parts/kube.ts';
import { type Case, type Json, kinds, readCases, readCrd, rulesOf } from './fixtures.ts';

const kube = await startKube();
test.before(async () => await kube.installCrds(kinds.map(readCrd)));
test.after(async () => await kube.stop());

function collection(resource: Json): string {
  const { namespace } = resource['metadata'] as { readonly namespace?: string };
  const plural = `${String(resource['kind']).toLowerCase()}s`;
  return `/apis/drimbox.dev/v1alpha1/${namespace === undefined ? '' : `namespaces/${namespace}/`}${plural}`;
}

/** Created (and changed) for real, then removed. The answer that decides is the last one. */
async function judge(fixture: Case): Promise<{ readonly accepted: boolean; readonly words: string }> {
  const path = collection(fixture.created);
  const { name } = fixture.created['metadata'] as { readonly name: string };
  const made = await kube.request('POST', `${path}?fieldValidation=Strict`, fixture.created);
  if (made.status !== 201) return { accepted: false, words: String(made.body['message']) };
  try {
    if (fixture.updated === undefined) return { accepted: true, words: '' };
    const body = {
      ...fixture.updated,
      metadata: {
        ...(fixture.updated['metadata'] as Json),
        resourceVersion: (made.body['metadata'] as Json)['resourceVersion'],
      },
    };
    const changed = await kube.request('PUT', `${path}/${name}?fieldValidation=Strict`, body);
    return { accepted: changed.status === 200, words: String(changed.body['message']) };
  } finally {
    await kube.request('DELETE', `${path}/${name}`);
  }
}

for (const kind of kinds) {
  test(`${kind}: every rule is tried both ways`, () => {
    const cases = readCases(kind);
    const untried = rulesOf(kind).flatMap((rule) =>
      (['accepted', 'refused'] as const)
        .filter(
          (verdict) =>
            !cases.some((c) => c.verdict === verdict && c.at === rule.at && rule.message.startsWith(c.rule ?? '\0')),
        )
        .map((verdict) => `${rule.at}: ${rule.message}: not ${verdict}`),
    );
    assert.equal(untried, []);
  });

  for (const fixture of readCases(kind))
    test(`${kind}: ${fixture.name} is ${fixture.verdict}`, async () => {
      const { accepted, words } = await judge(fixture);
      assert.is(accepted ? 'accepted' : 'refused', fixture.verdict, words);
      if (accepted) return;
      if (fixture.rule !== undefined) assert.ok(words.includes(fixture.rule), words);
      if (fixture.field !== undefined) assert.ok(words.includes(fixture.field), words);
    });
}

test('the examples are accepted as they stand', async () => {
  const folder = join(import.meta.dirname, '../../examples/two-sites');
  await kube.request('POST', '/api/v1/namespaces', { metadata: { name: 'ght' } });
  const documents = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), 'utf8')))
    .map((document) => document.toJS() as Json);
  assert.is(documents.length, 6);
  for (const document of documents) {
    const made = await kube.request('POST', `${collection(document)}?fieldValidation=Strict`, document);
    assert.is(made.status, 201, JSON.stringify(made.body));
  }
});

test('the table shows what an operator of sites looks for', async () => {
  const columns = async (path: string): Promise<string[]> => {
    const table = await kube.request('GET', path, undefined, undefined, 'application/json;as=Table;v=v1;g=meta.k8s.io');
    return (table.body['columnDefinitions'] as { name: string; priority: number }[]).map(({ name }) =>
      name.toUpperCase(),
    );
  };
  const base = '/apis/drimbox.dev/v1alpha1';
  for (const name of ['READY', 'LISTE-BLANCHE', 'PACS', 'DMP', 'CERT-EXPIRY', 'AGE'])
    assert.ok((await columns(`${base}/drimboxsites`)).includes(name), name);
});

test('defaults are filled in by the API server', async () => {
  const base = readCases('PacsLink').find((c) => c.name === 'two names')?.created ?? {};
  const made = await kube.request('POST', collection(base), base);
  assert.equal((made.body['spec'] as Json)['limits'], { maxConcurrentMoves: 1, maxConnections: 200, maxRequests: 400 });
  assert.is((made.body['spec'] as Json)['patientChecks'], true);
});

test.run();
