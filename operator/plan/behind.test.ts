/** What is said of a link's PACS while its gateway does not have the link's change yet. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GatewayStatus } from '../../common/contract/gateway-status.ts';
import { golden, inventory, observe } from './observed.testing.ts';
import { makePlan } from './plan.ts';
import { type ResourceStatus, makeStatus } from './status.ts';

const given = inventory(golden('two-sites').slice(1));
const first = makePlan(observe(given)).plan;

/** Of the site nord, which says that all its PACS answer. */
function gatewayStatus(revision: string): GatewayStatus {
  const said = { reason: 'Echoed', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
  const at = { host: '127.0.0.1', port: 1 };
  return {
    apiVersion: 'gateway.drimbox.dev/v1alpha1',
    revision,
    ready: true,
    conditions: [],
    pacs: ['pacs1', 'pacs2'].map((name) => ({
      name,
      conditions: [{ type: 'PacsReachable', status: 'True', ...said }],
    })),
    publications: {},
    listening: { mllp: at, dimse: at, wado: at, viewer: at, admin: at },
  };
}

const revisionIn = ({ gateways }: typeof first): string =>
  gateways.find(({ site }) => site === 'group/nord')?.config.revision ?? '';

/** One round, with a gateway that has this revision. @returns `STATUS REASON of GENERATION` of PacsReachable, by link */
function round(
  links: typeof given.links,
  revision: string,
  before: readonly ResourceStatus[],
): { readonly said: Readonly<Record<string, string>>; readonly statuses: readonly ResourceStatus[] } {
  const gateways = new Map([['group/nord', { running: true, restarts: 0, status: gatewayStatus(revision) }]]);
  const seen = { ...observe({ ...given, links }), gateways };
  const statuses = makeStatus(seen, makePlan(seen, first), before);
  const said = statuses.flatMap(({ kind, key, conditions }) => {
    const found = conditions.find(({ type }) => type === 'PacsReachable');
    return kind === 'PacsLink' && found && key !== 'group/pacs3'
      ? [[key, `${found.status} ${found.reason} of ${found.observedGeneration}`] as const]
      : [];
  });
  return { said: Object.fromEntries(said), statuses };
}

test('of a link that changed the former answer says nothing, of the other it still does, until the gateway has the change', () => {
  const old = revisionIn(first);
  const all = round(given.links, old, []);
  assert.equal(all.said, { 'group/pacs1': 'True Echoed of 1', 'group/pacs2': 'True Echoed of 1' });
  const links = given.links.map((link) =>
    link.metadata.name === 'pacs1'
      ? {
          ...link,
          metadata: { ...link.metadata, generation: 2 },
          spec: { ...link.spec, node: { ...link.spec.node, host: 'moved.example' } },
        }
      : link,
  );
  const wanted = revisionIn(makePlan(observe({ ...given, links }), first).plan);
  assert.is.not(wanted, old);
  let now = round(links, old, all.statuses);
  for (const look of ['at once', 'a round later']) {
    assert.equal(now.said, { 'group/pacs1': 'Unknown Progressing of 2', 'group/pacs2': 'True Echoed of 1' }, look);
    now = round(links, old, now.statuses);
  }
  const there = round(links, wanted, now.statuses);
  assert.equal(there.said, { 'group/pacs1': 'True Echoed of 2', 'group/pacs2': 'True Echoed of 1' });
});

test.run();
