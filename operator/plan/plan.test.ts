/**
 * Golden: resources in (golden/NAME.in.yaml), plan and conditions out (golden/NAME.out.yaml).
 * UPDATE_GOLDEN=1 writes the outputs again; review the difference.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { readGatewayConfig } from '../../common/contract/read-gateway-config.ts';
import { readDefinitions } from '../api/schema.ts';
import { judge } from '../api/validate.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';
import { type Inventory, keyOf } from '../resources/inventory.ts';
import type { DatabaseObservation, IdentityMaterial, Layout, Observations, Resolved } from './observations.ts';
import { type Plan, makePlan } from './plan.ts';
import { type Remembered, createMemory } from './remembered.ts';
import { type ResourceStatus, eachStatus, makeStatus } from './status.ts';

const folder = join(import.meta.dirname, 'golden');
const definitions = readDefinitions(join(import.meta.dirname, '../../crds'));

interface Given {
  /** Secrets that are broken: name to reason. */
  readonly broken?: Readonly<Record<string, string>>;
  /** Each site in pods of its own. */
  readonly cluster?: boolean;
  /** Plan these resources first, without `broken`: what is kept from it shows. */
  readonly before?: readonly unknown[];
}

function inventory(documents: readonly unknown[]): Inventory {
  const resources = documents.map((document) => {
    const kind = (document as { readonly kind: string }).kind;
    const definition = definitions.get(kind);
    if (definition === undefined) throw new Error(`no kind ${kind}`);
    const judgement = judge(definition, document);
    if (!judgement.accepted) throw new Error(JSON.stringify(judgement.faults));
    return judgement.resource;
  });
  return {
    trustSpaces: resources.filter((r): r is TrustSpace => r.kind === 'TrustSpace'),
    sites: resources.filter((r): r is DrimboxSite => r.kind === 'DrimboxSite'),
    links: resources.filter((r): r is PacsLink => r.kind === 'PacsLink'),
    secrets: new Map(),
    configMaps: new Map(),
  };
}

const layout: Layout = {
  fileOf: (site, name) => `/state/sites/${site}/files/${name}`,
  whitelistFile: (trustSpace) => `/state/trust/${trustSpace}/whitelist.xml`,
  dataDirectory: (site) => `/state/sites/${site}/data`,
  siteAddress: '192.0.2.1',
  gatewayAddress: '127.0.0.1',
  portsOf: (site) =>
    site.endsWith('nord')
      ? { wado: 21_000, viewer: 21_001, admin: 21_002 }
      : { wado: 21_003, viewer: 21_004, admin: 21_005 },
  sharedPorts: true,
};

/** Every Secret exists and says its own name, but those that are broken. */
function observe(resources: Inventory, { broken = {}, cluster = false }: Omit<Given, 'before'> = {}): Observations {
  const identity = (name: string): Resolved<IdentityMaterial> => {
    const reason = broken[name];
    if (reason !== undefined) return { ok: false, reason, message: 'is broken' };
    const names = resources.links.flatMap(({ metadata, spec }) =>
      [spec.db, spec.vi].filter((x) => `${metadata.namespace}/${x.certificate.secretName}` === name).map((x) => x.fqdn),
    );
    return {
      ok: true,
      certificatePem: `certificate of ${name}`,
      keyPem: `key of ${name}`,
      notAfter: '2027-06-01T00:00:00.000Z',
      names,
    };
  };
  const secrets = [
    ...resources.sites.flatMap(({ metadata, spec }) =>
      spec.dmp.certificates.flatMap((c) =>
        [c.authentication, c.signature].map(({ secretName }) => `${metadata.namespace}/${secretName}`),
      ),
    ),
    ...resources.links.flatMap(({ metadata, spec }) =>
      [spec.db, spec.vi].map((x) => `${metadata.namespace}/${x.certificate.secretName}`),
    ),
  ];
  const internal = (name: string): Observations['internal']['ingress'] => ({
    serverName: name,
    identity: { name: `internal/${name}`, certificatePem: `certificate of ${name}`, keyPem: `key of ${name}` },
  });
  return {
    now: new Date('2027-01-01T00:00:00Z'),
    inventory: resources,
    trusts: new Map(
      resources.trustSpaces.map((trust) => [
        keyOf(trust),
        {
          anchors: { ok: true, pem: 'anchors' },
          crls: { ok: true, pem: 'crls', nextUpdate: '2027-01-07T00:00:00.000Z' },
          dmpTrust: { ok: true, pem: 'dmp trust' },
          ...(trust.spec.introspection.mode === 'rfc7662'
            ? { introspectionTrust: { ok: true, pem: 'psc trust' }, introspectionClient: identity('psc') }
            : {}),
          whitelist: { status: 'True', reason: 'Verified', message: '2 DRIMboxes' },
        },
      ]),
    ),
    identities: new Map(secrets.map((name) => [name, identity(name)])),
    internal: {
      caPem: 'internal authority',
      ingress: internal('ingress.drimbox.internal'),
      gateways: new Map(resources.sites.map((site) => [keyOf(site), internal(`${site.metadata.name}.gateway`)])),
    },
    gateways: new Map(),
    ingress: new Map(),
    databases: new Map(resources.sites.flatMap((site) => databaseOf(site, broken))),
    layout: { ...layout, sharedPorts: !cluster },
    software: { name: 'drimbox', version: '1.0.0' },
  };
}

function databaseOf(
  { metadata, spec }: DrimboxSite,
  broken: Readonly<Record<string, string>>,
): [string, DatabaseObservation][] {
  const { postgres } = spec.storage;
  if (postgres === undefined) return [];
  const name = `${metadata.namespace}/${postgres.credentials.secretName}`;
  const reason = broken[name];
  const credentials =
    reason === undefined
      ? ({ ok: true, user: 'app', password: `password of ${name}` } as const)
      : ({ ok: false, reason, message: 'is broken' } as const);
  return [[keyOf({ metadata }), { credentials, trust: { ok: true, pem: 'database trust' } }]];
}

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
  const documents = parseAllDocuments(readFileSync(join(folder, `${name}.in.yaml`), 'utf8')).map(
    (d) => d.toJS() as unknown,
  );
  const [given, ...resources] = documents as [Given, ...unknown[]];
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
  const documents = parseAllDocuments(readFileSync(join(folder, 'two-sites.in.yaml'), 'utf8'))
    .slice(1)
    .map((d) => d.toJS() as unknown);
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
  const documents = parseAllDocuments(readFileSync(join(folder, 'two-sites.in.yaml'), 'utf8'))
    .slice(1)
    .map((d) => d.toJS() as unknown);
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
