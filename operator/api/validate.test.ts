/** The same cases that the API server judges in e2e/crds, judged here: the verdicts must be the same. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kinds, readCases } from '../../e2e/crds/fixtures.ts';
import { type ApiFault, readDefinitions, writePath } from './schema.ts';
import { type Judgement, judge } from './validate.ts';

const definitions = readDefinitions(join(import.meta.dirname, '../../crds'));

function definition(kind: string): Parameters<typeof judge>[0] {
  const found = definitions.get(kind);
  if (found === undefined) throw new Error(`no CRD of kind ${kind}`);
  return found;
}

function said(judgement: Judgement): readonly ApiFault[] {
  return judgement.accepted ? [] : judgement.faults;
}

for (const kind of kinds)
  for (const fixture of readCases(kind))
    test(`${kind}: ${fixture.name} is ${fixture.verdict}`, () => {
      const created = judge(definition(kind), fixture.created);
      if (fixture.updated !== undefined) assert.ok(created.accepted, JSON.stringify(created));
      const judgement =
        fixture.updated === undefined || !created.accepted
          ? created
          : judge(definition(kind), fixture.updated, created.resource);
      const words = said(judgement).map((fault) => `${writePath(fault.path)}: ${fault.message}`);
      assert.is(judgement.accepted ? 'accepted' : 'refused', fixture.verdict, words.join('\n'));
      if (judgement.accepted) return;
      const { field, rule } = fixture;
      if (rule !== undefined)
        assert.ok(
          words.some((w) => w.includes(rule)),
          words.join('\n'),
        );
      if (field !== undefined)
        assert.ok(
          words.some((w) => w.startsWith(`${field}: `)),
          words.join('\n'),
        );
    });

test('a misspelt field is told what was meant', () => {
  const [base] = readCases('PacsLink');
  const spec = { ...(base?.created['spec'] as object), timeout: {} };
  const [fault] = said(judge(definition('PacsLink'), { ...base?.created, spec }));
  assert.is(fault?.remedy, 'did you mean timeouts?');
});

test('defaults reach into defaulted objects', () => {
  const [base] = readCases('DrimboxSite');
  const judgement = judge(definition('DrimboxSite'), base?.created);
  assert.ok(judgement.accepted);
  assert.ok(judgement.resource.kind === 'DrimboxSite');
  assert.is(judgement.resource.spec.dimse.port, 11112);
  assert.is(judgement.resource.spec.timeZone, 'Europe/Paris');
  assert.is(judgement.resource.metadata.namespace, 'default');
});

test.run();
