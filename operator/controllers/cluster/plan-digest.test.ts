import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import { golden, inventory, observe } from '../../plan/observed.testing.ts';
import { makePlan } from '../../plan/plan.ts';
import { digestOf, linkDigestLength } from './plan-digest.ts';

const plan = makePlan(observe(inventory(golden('two-sites').slice(1)))).plan.ingress;
const [first, second, third] = ['group/pacs1', 'group/pacs2', 'group/pacs3'];

async function changedBy(change: Partial<IngressPlan>): Promise<readonly string[]> {
  const [before, after] = [await digestOf(plan), await digestOf({ ...plan, ...change })];
  const changed = [...before.links].filter(([link, digest]) => after.links.get(link) !== digest).map(([link]) => link);
  assert.is(before.plan === after.plan, changed.length === 0);
  return changed.toSorted();
}

const replaced = (fqdn: string, change: Partial<IngressHost>): readonly IngressHost[] =>
  plan.hosts.map((host) => (host.fqdn === fqdn ? ({ ...host, ...change } as IngressHost) : host)); // of its own kind

test('each link has a digest of its own, the same for equal plans of other objects', async () => {
  const { links } = await digestOf(plan);
  assert.equal([...links.keys()].toSorted(), [first, second, third]);
  assert.is(new Set(links.values()).size, 3);
  for (const digest of links.values()) assert.is(digest.length, linkDigestLength);
  assert.equal(await changedBy(structuredClone(plan)), []);
});

test('a change to either entry of a link is a change to it and to no other', async () => {
  const limits = { maxConnections: 1, maxRequests: 1 };
  assert.equal(await changedBy({ hosts: replaced('db1.group.example', { limits }) }), [first]);
  assert.equal(await changedBy({ hosts: replaced('vi2.group.example', { limits }) }), [second]);
  assert.equal(await changedBy({ hosts: plan.hosts.filter(({ fqdn }) => fqdn !== 'vi3.group.example') }), [third]);
});

test('what links share is of each: the trust of their callers, the internal hop', async () => {
  const trusts = plan.trusts.map((trust) => ({ ...trust, crlsPem: 'newer' }));
  assert.equal(await changedBy({ trusts }), [first, second, third]);
  assert.equal(await changedBy({ internal: { ...plan.internal, caPem: 'newer' } }), [first, second, third]);
});

test.run();
