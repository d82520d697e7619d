/** Bad YAML is refused with file, line and field; what was good before stays. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { readCases } from '../../../e2e/crds/fixtures.ts';
import { readDefinitions } from '../../api/schema.ts';
import { type Acceptance, type Accepted, accept, writeFault } from './accept.ts';

const definitions = readDefinitions(join(import.meta.dirname, '../../../crds'));
const link = readCases('PacsLink')[0]?.created ?? {};
const site = readCases('DrimboxSite')[0]?.created ?? {};
const linkYaml = stringify({ ...link, metadata: { name: 'scanner' } });
const siteYaml = stringify(site);

function run(
  files: Readonly<Record<string, string>>,
  before: readonly Accepted[] = [],
  now = '2026-01-01T00:00:00.000Z',
): Acceptance {
  let next = 0;
  return accept({
    definitions,
    files: new Map(Object.entries(files)),
    before,
    now,
    newUid: () => `uid-${(next += 1)}`,
  });
}

function names(outcome: Acceptance): string[] {
  return outcome.accepted.map(({ resource }) => `${resource.kind}/${resource.metadata.name}`).toSorted();
}

test('several documents in a file are as many resources, in the default namespace', () => {
  const outcome = run({ 'a.yaml': `---\n${siteYaml}---\n${linkYaml}---\n` });
  assert.equal(outcome.faults, []);
  assert.equal(names(outcome), ['DrimboxSite/clinic-2', 'PacsLink/scanner']);
  assert.ok(outcome.accepted.every(({ resource }) => resource.metadata.generation === 1));
});

test('a fault names file, line, column, resource, field, rule and what to do', () => {
  const text = `---\n${siteYaml}---\n${linkYaml.replace('port: 104', 'port: 70000')}`;
  const outcome = run({ 'clinic/a.yaml': text });
  const [fault] = outcome.faults;
  const line = text.split('\n').findIndex((row) => row.includes('70000')) + 1;
  assert.is(outcome.faults.length, 1);
  assert.is(fault?.line, line);
  assert.is(fault?.field, 'spec.node.port');
  assert.is(fault?.resource, 'PacsLink/default/scanner');
  assert.match(
    outcome.faults.map(writeFault).join('\n'),
    `clinic/a.yaml:${line}:5: PacsLink/default/scanner spec.node.port: must be <= 65535`,
  );
  assert.equal(names(outcome), ['DrimboxSite/clinic-2']);
});

test('an immutable field can not change, and the former version stays in force', () => {
  const first = run({ 'a.yaml': linkYaml });
  const second = run({ 'a.yaml': linkYaml.replace('db1.clinic.example', 'db9.clinic.example') }, first.accepted);
  assert.is(second.faults[0]?.field, 'spec.db.fqdn');
  assert.equal(second.accepted, first.accepted);
});

test('a file that stops being YAML removes nothing, and is reported', () => {
  const first = run({
    'a.yaml': `${siteYaml}---\n${linkYaml}`,
    'b.yaml': linkYaml.replace('name: scanner', 'name: other'),
  });
  const second = run(
    { 'a.yaml': `${siteYaml}\n  : [`, 'b.yaml': linkYaml.replace('name: scanner', 'name: other') },
    first.accepted,
  );
  assert.equal(names(second), names(first));
  assert.is(second.faults[0]?.rule, 'yaml');
  assert.ok((second.faults[0]?.line ?? 0) > 1);
});

test('a file that is deleted removes what it held', () => {
  const first = run({ 'a.yaml': siteYaml, 'b.yaml': linkYaml });
  assert.equal(names(run({ 'a.yaml': siteYaml }, first.accepted)), ['DrimboxSite/clinic-2']);
});

test('a change of the spec is a new generation; a change of place or comment is not', () => {
  const first = run({ 'a.yaml': linkYaml });
  const moved = run({ 'b.yaml': `# moved\n${linkYaml}` }, first.accepted, '2026-02-01T00:00:00.000Z');
  const changed = run({ 'b.yaml': linkYaml.replace('port: 104', 'port: 105') }, moved.accepted);
  assert.equal(moved.accepted[0]?.resource.metadata, first.accepted[0]?.resource.metadata);
  assert.is(changed.accepted[0]?.resource.metadata.generation, 2);
});

test('the same resource in two files is a fault of the second', () => {
  const outcome = run({ 'a.yaml': linkYaml, 'b.yaml': linkYaml });
  assert.is(outcome.accepted.length, 1);
  assert.is(outcome.faults[0]?.file, 'b.yaml');
});

test('a kind nobody knows, a key given twice and a bomb of aliases are faults', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
  for (const text of ['kind: Pod\n', 'a: 1\na: 2\n', bomb, '- just\n- a list\n', 'text\n'])
    assert.is.not(run({ 'a.yaml': text }).faults.length, 0, text);
});

test('Secrets, ConfigMaps and Namespaces may stand beside; bad base64 is refused', () => {
  const secret =
    'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\nstringData: {tls.crt: x}\n';
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n';
  assert.equal(run({ 'a.yaml': `${secret}---\n${namespace}` }).faults, []);
  const bad = 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {tls.crt: "%%"}\n';
  assert.is(run({ 'a.yaml': bad }).faults[0]?.field, 'data.tls.crt');
});

test.run();
