/** For tests: resources as they are written, and what is observed of them when all is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readDefinitions } from '../api/schema.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';
import { judge } from '../api/validate.ts';
import { type Inventory, keyOf } from '../resources/inventory.ts';
import type { DatabaseObservation, IdentityMaterial, Layout, Observations, Resolved } from './observations.ts';

const definitions = readDefinitions(join(import.meta.dirname, '../../crds'));

/** Documents of golden/NAME.in.yaml; the first is {@link Given}. */
export function golden(name: string): readonly unknown[] {
  const text = readFileSync(join(import.meta.dirname, 'golden', `${name}.in.yaml`), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as unknown);
}

export interface Given {
  /** Secrets that are broken: name to reason. */
  readonly broken?: Readonly<Record<string, string>>;
  /** Each site in pods of its own. */
  readonly cluster?: boolean;
  /** Plan these resources first, without `broken`: what is kept from it shows. */
  readonly before?: readonly unknown[];
}

export function inventory(documents: readonly unknown[]): Inventory {
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

export const layout: Layout = {
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
export function observe(
  resources: Inventory,
  { broken = {}, cluster = false }: Omit<Given, 'before'> = {},
): Observations {
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
