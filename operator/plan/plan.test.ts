/**
 * Golden: resources in (golden/NAME.in.yaml), plan and conditions out (golden/NAME.out.yaml).
 * UPDATE_GOLDEN=1 writes the outputs again; review the difference.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse, stringify } from 'yaml';
import { readGatewayConfig } from '../../common/contract/read-gateway-config.ts';
import type { DrimboxSite } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import type { Observations } from './observations.ts';
import { type Given, golden, inventory, layout, observe } from './observed.testing.ts';
import { type Plan, makePlan } from './plan.ts';
import { type Remembered, createMemory } from './remembered.ts';
import { type ResourceStatus, eachStatus, makeStatus } from './status.ts';

const folder = join(import.meta.dirname, 'golden');

function summary(seen: Observations, before?: Plan): { readonly out: unknown; readonly plan: Plan } {
  const planning = makePlan(seen, before);
  const conditions = makeStatus(seen, planning, []).map(({ kind, key, conditions: all }) => ({
    resource: `${kind} ${key}`,
    conditions: Object.fromEntries(
      all.map(({ type, status, reason, message }) => [
        type,
        [status, reason, message].filter((x) => x !== '').join('; '),
      ]),
    ),
  }));
  return { out: { ...planning.plan, conditions }, plan: planning.plan };
}

function run(name: string): { readonly out: unknown; readonly plan: Plan } {
  const [given, ...resources] = golden(name) as [Given, ...unknown[]];
  const before =
    given.before === undefined ? undefined : summary(observe(inventory(given.before), { ...given, broken: {} })).plan;
  return summary(observe(inventory(resources), given), before);
}

const names = readdirSync(folder)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.slice(0, -'.in.yaml'.length));

for (const name of names)
  test(`golden: ${name}`, () => {
    const { out } = run(name);
    const file = join(folder, `${name}.out.yaml`);
    const text = stringify(out, { lineWidth: 0, aliasDuplicateObjects: false });
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    assert.ok(existsSync(file), `${file} is missing: run with UPDATE_GOLDEN=1 and review it`);
    assert.equal(parse(text), parse(readFileSync(file, 'utf8')));
  });

for (const name of names)
  test(`every config planned for ${name} is one a gateway accepts, and names only files of its plan`, () => {
    for (const { config, files, site } of run(name).plan.gateways) {
      const reading = readGatewayConfig(JSON.stringify(config));
      assert.ok(reading.ok, JSON.stringify(reading));
      const named = new Set(JSON.stringify(config).match(/\/state\/sites\/[^"]+\/files\/[^"]+/g) ?? []);
      assert.equal(named, new Set(files.map((file) => layout.fileOf(site, file.name))));
    }
  });

test('the same resources in another order give the same plan, and nothing but the changed site differs after a change', () => {
  const documents = golden('two-sites').slice(1);
  const first = makePlan(observe(inventory(documents))).plan;
  assert.equal(makePlan(observe(inventory(documents.toReversed()))).plan, first);
  const changed = documents.map((document) => {
    const site = structuredClone(document) as DrimboxSite;
    return site.kind === 'DrimboxSite' && site.metadata.name === 'nord'
      ? { ...site, spec: { ...site.spec, logLevel: 'debug' } }
      : document;
  });
  const second = makePlan(observe(inventory(changed)), first).plan;
  assert.equal(
    second.gateways.filter(({ site }) => site === 'group/sud'),
    first.gateways.filter(({ site }) => site === 'group/sud'),
  );
  assert.equal(second.ingress, first.ingress);
  assert.is.not(second.gateways[0]?.config.revision, first.gateways[0]?.config.revision);
});

/** Remembers, and counts what is made. */
function counting(): { readonly memory: Remembered; readonly made: string[] } {
  const memory = createMemory();
  const made: string[] = [];
  return {
    made,
    memory: {
      of: (key, inputs, make) =>
        memory.of(key, inputs, () => {
          made.push(key);
          return make();
        }),
      steps: (key, inputs, make) =>
        memory.steps(key, inputs, () => {
          made.push(key);
          return make();
        }),
      sweep: () => memory.sweep(),
    },
  };
}

test('the same observations make nothing anew; a link that changed makes what is of it, and the same as without memory', () => {
  const documents = golden('two-sites').slice(1);
  const { memory, made } = counting();
  const statuses = new Map<string, ResourceStatus>();
  const round = (seen: Observations, before?: Plan): Plan => {
    const planning = makePlan(seen, before, memory);
    const found = [...eachStatus(seen, planning, statuses, memory)];
    for (const one of found) if (!statuses.has(`${one.kind} ${one.key}`)) statuses.set(`${one.kind} ${one.key}`, one);
    memory.sweep();
    return planning.plan;
  };
  const seen = observe(inventory(documents));
  const first = round(seen);
  const second = round(seen, first); // the first statuses are now the former ones
  made.length = 0;
  const third = round(seen, second);
  assert.equal(made, []);
  assert.is(third.ingress.internal, first.ingress.internal);
  const [changed, ...others] = seen.inventory.links;
  assert.ok(changed);
  const link = { ...changed, spec: { ...changed.spec, limits: { ...changed.spec.limits, maxRequests: 77 } } };
  const next = { ...seen, inventory: { ...seen.inventory, links: [link, ...others] } };
  const fourth = round(next, third);
  const own = [keyOf(link), `${link.metadata.namespace}/${link.spec.site}`];
  assert.equal(
    made.filter((key) => key !== 'accepted' && !own.some((name) => key.endsWith(name))),
    [],
  );
  assert.equal(fourth, makePlan(next, third).plan);
});

test.run();
