/** Argo CD's health of resources as the operator leaves them (operator/plan/golden); of healthy and paused ones: kubernetes-paused.test.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { argoHealth, healthScripts } from './argo.ts';

interface Golden {
  readonly conditions: readonly {
    readonly resource: string;
    readonly conditions: Readonly<Record<string, string | boolean>>;
  }[];
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly generation: number };
  readonly status?: object;
}

/** Conditions of a golden file are `STATUS; REASON; MESSAGE`. */
function resourcesOf(name: string): ReadonlyMap<string, Resource> {
  const file = join(import.meta.dirname, `../../operator/plan/golden/${name}.out.yaml`);
  const { conditions } = parse(readFileSync(file, 'utf8')) as Golden;
  return new Map(
    conditions.map(({ resource, conditions: all }) => {
      const list = Object.entries(all).map(([type, text]) => {
        const [status = '', reason = '', ...message] = String(text).split('; ');
        return { type, status, reason, message: message.join('; '), observedGeneration: 3 };
      });
      const [kind = ''] = resource.split(' ');
      return [resource, { kind, metadata: { generation: 3 }, status: { observedGeneration: 3, conditions: list } }];
    }),
  );
}

const expected: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  clashes: {
    'TrustSpace test': 'Healthy',
    // a link that may come with the same sync
    'DrimboxSite group/nord': 'Progressing',
    'DrimboxSite group/sud': 'Degraded',
    'PacsLink group/pacs1': 'Progressing',
    'PacsLink group/late-name': 'Degraded',
    'PacsLink group/late-title': 'Degraded',
    'PacsLink group/pacs3': 'Progressing',
    'PacsLink group/lost': 'Progressing',
  },
  'first-time-broken': {
    'TrustSpace test': 'Healthy',
    'DrimboxSite group/nord': 'Progressing',
    'PacsLink group/pacs1': 'Degraded',
  },
  paused: {
    'TrustSpace test': 'Healthy',
    'DrimboxSite group/nord': 'Suspended',
    'PacsLink group/pacs1': 'Progressing',
  },
};

for (const [name, healths] of Object.entries(expected))
  test(`health of what the operator says in ${name}`, async () => {
    const resources = resourcesOf(name);
    const judged = await argoHealth([...resources.values()]);
    assert.equal(Object.fromEntries([...resources.keys()].map((key, at) => [key, judged[at]?.status])), healths);
    for (const { message } of judged) assert.match(message, /^[A-Z]\w+: /);
  });

test('what nobody looked at yet, or not since its latest change, is progressing', async () => {
  const [trust] = resourcesOf('clashes').values();
  if (trust === undefined) throw new Error('the golden file has resources');
  const changed = { ...trust, metadata: { generation: 4 } };
  const unseen = { kind: 'TrustSpace', metadata: { generation: 1 } };
  const judged = await argoHealth([trust, changed, unseen, { ...unseen, status: { observedGeneration: 0 } }]);
  assert.equal(
    judged.map(({ status }) => status),
    ['Healthy', 'Progressing', 'Progressing', 'Progressing'],
  );
});

test('what broke in service is degraded', async () => {
  const conditions = [
    { type: 'Ready', status: 'False', reason: 'EchoFailed', message: 'PacsReachable: 192.0.2.9: refused' },
    { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' },
    { type: 'PacsReachable', status: 'False', reason: 'EchoFailed', message: '192.0.2.9: refused' },
  ];
  const link = { kind: 'PacsLink', metadata: { generation: 1 }, status: { observedGeneration: 1, conditions } };
  assert.equal(await argoHealth([link]), [
    { status: 'Degraded', message: 'EchoFailed: PacsReachable: 192.0.2.9: refused' },
  ]);
});

test('each kind has its script, and all are the same', () => {
  const scripts = healthScripts();
  assert.equal([...scripts.keys()].toSorted(), ['DrimboxSite', 'PacsLink', 'TrustSpace']);
  assert.is(new Set(scripts.values()).size, 1);
});

test.run();
