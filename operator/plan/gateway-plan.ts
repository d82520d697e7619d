/** The gateway of one site: its config document and the files the document names. Pure. */
import { createHash } from 'node:crypto';
import type {
  GatewayConfig,
  IntrospectionConfig,
  PacsConfig,
  RisConfig,
} from '../../common/contract/gateway-config.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import type { Refusal } from './acceptance.ts';
import type { Gathered, IdentityMaterial, Resolved, TrustObservation } from './observations.ts';

export interface PlannedFile {
  /** Carries a digest of the content, so that a new content is a new file and nobody reads half a rotation. */
  readonly name: string;
  readonly content: string;
  readonly secret: boolean;
}

export interface GatewayPlan {
  /** `NAMESPACE/NAME`. */
  readonly site: string;
  readonly config: GatewayConfig;
  readonly files: readonly PlannedFile[];
  readonly whenDeleted: 'Retain' | 'Delete';
}

export type GatewayPlanning =
  { readonly ok: true; readonly plan: GatewayPlan } | { readonly ok: false; readonly refusal: Refusal };

/** @param links the accepted links of the site, at least one of them named by a RIS */
export function planGateway(
  site: DrimboxSite,
  trustSpace: TrustSpace,
  links: readonly PacsLink[],
  seen: Gathered,
): GatewayPlanning {
  const key = keyOf(site);
  const trust = seen.trusts.get(trustSpace.metadata.name);
  const own = seen.internal.gateways.get(key);
  if (trust === undefined || own === undefined)
    return refuse('NotObserved', 'trust space or internal certificate not looked at yet');
  const files = new FileSet((name) => seen.layout.fileOf(key, name));
  const faults: Refusal[] = [];
  const need: Need = (label, resolved) => {
    if (resolved?.ok === true) return resolved;
    const { reason, message } = resolved ?? { reason: 'NotObserved', message: 'not looked at yet' };
    faults.push({ reason, message: `${label}: ${message}` });
    return undefined;
  };
  const pem = (label: string, resolved: Resolved<{ readonly pem: string }> | undefined): string =>
    files.add(label, 'pem', need(label, resolved)?.pem ?? '');
  const pair = (label: string, resolved: Resolved<IdentityMaterial> | undefined): KeyPair =>
    files.pair(label, need(label, resolved));

  const tls = {
    mode: 'ingress' as const,
    server: files.pair('internal', own.identity),
    clientCaFile: files.add('internal-ca', 'pem', seen.internal.caPem),
    ingressName: seen.internal.ingress.serverName,
  };
  const secret = (name: string): Resolved<IdentityMaterial> | undefined =>
    seen.identities.get(`${site.metadata.namespace}/${name}`);
  const config: Omit<GatewayConfig, 'revision'> = {
    apiVersion: 'gateway.drimbox.dev/v1alpha1',
    environment: trustSpace.spec.environment,
    site: identityOf(site),
    listeners: listenersOf(site, seen, tls),
    ris: risOf(site, links),
    pacs: links.map((link) => pacsOf(link, trustSpace.spec.ingress.publicPort)),
    dmp: {
      url: trustSpace.spec.dmp.url,
      trustFile: pem('dmp-trust', trust.dmpTrust),
      structures: site.spec.dmp.certificates.map((certificate) => ({
        structureId: certificate.structureId,
        authentication: pair(`dmp-${certificate.structureId}-auth`, secret(certificate.authentication.secretName)),
        signature: pair(`dmp-${certificate.structureId}-sign`, secret(certificate.signature.secretName)),
      })),
      software: { ...seen.software, homologationId: trustSpace.spec.dmp.homologationId },
      timeoutMs: trustSpace.spec.dmp.timeoutSeconds * 1000,
      retry: {
        initialMs: trustSpace.spec.dmp.retry.initialSeconds * 1000,
        maximumMs: trustSpace.spec.dmp.retry.maximumSeconds * 1000,
      },
    },
    introspection: introspectionOf(trustSpace, trust, pem, pair),
    whitelist: {
      file: seen.layout.whitelistFile(trustSpace.metadata.name),
      anchorsFile: pem('anchors', trust.anchors),
      ...(trust.crls.ok ? { crlFile: pem('crls', trust.crls) } : {}),
      requireRevocation: trustSpace.spec.whitelist.requireRevocation,
      signer: trustSpace.spec.whitelist.signer,
    },
    storage: { directory: seen.layout.dataDirectory(key), ...databaseOf(site, seen, files, need, own.identity.keyPem) },
    ...(site.spec.replicas > 1 && { replicas: site.spec.replicas }),
    log: { level: site.spec.logLevel },
  };
  const [fault] = faults;
  if (fault !== undefined) return { ok: false, refusal: { reason: fault.reason, message: fault.message } };
  const revision = digest(JSON.stringify(config)).slice(0, 16);
  const { whenDeleted } = site.spec.storage;
  return { ok: true, plan: { site: key, config: { ...config, revision }, files: files.list, whenDeleted } };
}

function refuse(reason: string, message: string): GatewayPlanning {
  return { ok: false, refusal: { reason, message } };
}

/** Of anchors and CRLs, which every site of a trust space has: megabytes that would be hashed once per site. */
const largeDigests = new Map<string, string>();

function digest(text: string): string {
  const known = text.length > 4096 ? largeDigests.get(text) : undefined;
  if (known !== undefined) return known;
  const made = createHash('sha256').update(text).digest('hex');
  if (text.length > 4096) {
    if (largeDigests.size >= 32) largeDigests.clear();
    largeDigests.set(text, made);
  }
  return made;
}

interface KeyPair {
  readonly certificateFile: string;
  readonly keyFile: string;
}

class FileSet {
  readonly list: PlannedFile[] = [];
  readonly #place: (name: string) => string;

  constructor(place: (name: string) => string) {
    this.#place = place;
  }

  /**
   * The absolute path under which the gateway will find it.
   * @param salt a secret: names are not secret, and the digest of a password alone would help whoever guesses it
   */
  add(label: string, extension: string, content: string, secret = false, salt = ''): string {
    const name = `${label.replaceAll(/[^0-9A-Za-z-]/g, '_')}-${digest(salt + content).slice(0, 12)}.${extension}`;
    if (!this.list.some((file) => file.name === name)) this.list.push({ name, content, secret });
    return this.#place(name);
  }

  pair(label: string, material: { readonly certificatePem: string; readonly keyPem: string } | undefined): KeyPair {
    return {
      certificateFile: this.add(label, 'crt', material?.certificatePem ?? ''),
      keyFile: this.add(label, 'key', material?.keyPem ?? '', true),
    };
  }
}

type Need = <T>(label: string, resolved: Resolved<T> | undefined) => T | undefined;

function databaseOf(
  site: DrimboxSite,
  seen: Gathered,
  files: FileSet,
  need: Need,
  salt: string,
): Pick<GatewayConfig['storage'], 'postgres'> {
  const { postgres } = site.spec.storage;
  if (postgres === undefined) return {};
  const { host, port, database } = postgres;
  const observed = seen.databases?.get(keyOf(site));
  const credentials = need('storage.postgres.credentials', observed?.credentials);
  const trust = need('storage.postgres.trust', observed?.trust);
  return {
    postgres: {
      host,
      port,
      database,
      user: credentials?.user ?? '',
      passwordFile: files.add('database', 'password', credentials?.password ?? '', true, salt),
      trustFile: files.add('database-trust', 'pem', trust?.pem ?? ''),
    },
  };
}

function identityOf(site: DrimboxSite): GatewayConfig['site'] {
  const { namespace, name } = site.metadata;
  return {
    namespace,
    name,
    structureId: site.spec.structure.id,
    structureName: site.spec.structure.name,
    ...(site.spec.uidRoot === undefined ? {} : { uidRoot: site.spec.uidRoot }),
    sourceId: site.spec.sourceId,
    systemId: site.spec.systemId ?? `${namespace}.${name}`.slice(0, 64),
    timeZone: site.spec.timeZone,
  };
}

function listenersOf(
  site: DrimboxSite,
  { layout }: Gathered,
  tls: GatewayConfig['listeners']['wado']['tls'],
): GatewayConfig['listeners'] {
  const ports = layout.portsOf(keyOf(site));
  const host = layout.gatewayAddress;
  const { mllp, dimse } = site.spec;
  return {
    mllp: {
      host: layout.siteAddress,
      port: ports.mllp ?? mllp.port,
      maxMessageBytes: mllp.maxMessageMegabytes * 1_048_576,
    },
    dimse: { host: layout.siteAddress, port: ports.dimse ?? dimse.port },
    wado: { host, port: ports.wado, tls },
    viewer: { host, port: ports.viewer, tls },
    admin: { host, port: ports.admin },
  };
}

/** Names that are no accepted link are left out (the site's condition says so), and a RIS with none left as well. */
function risOf(site: DrimboxSite, links: readonly PacsLink[]): RisConfig[] {
  const known = new Set(links.map((link) => link.metadata.name));
  return site.spec.ris
    .map((ris) => ({ ...ris, pacs: ris.pacs.filter((name) => known.has(name)) }))
    .filter((ris) => ris.pacs.length > 0);
}

function pacsOf({ metadata, spec }: PacsLink, publicPort: number): PacsConfig {
  return {
    name: metadata.name,
    ...spec.node,
    callingAeTitle: spec.callingAeTitle,
    aeTitlePool: [...spec.aeTitlePool],
    wadoFqdn: spec.db.fqdn,
    viewerFqdn: spec.vi.fqdn,
    publicPort,
    retrieveLocationUid: spec.retrieveLocationUid,
    relationalQueries: spec.relationalQueries,
    maxConcurrentMoves: spec.limits.maxConcurrentMoves,
    connectTimeoutMs: spec.timeouts.connectSeconds * 1000,
    responseTimeoutMs: spec.timeouts.responseSeconds * 1000,
    excludedSopInstanceRoots: [...spec.excludedSopInstanceRoots],
    ...(spec.referenceStudyUid === undefined ? {} : { referenceStudyUid: spec.referenceStudyUid }),
    patientChecks: spec.patientChecks,
  };
}

function introspectionOf(
  { spec }: TrustSpace,
  trust: TrustObservation,
  pem: (label: string, resolved: TrustObservation['introspectionTrust']) => string,
  pair: (label: string, resolved: TrustObservation['introspectionClient']) => KeyPair,
): IntrospectionConfig {
  const { mode, url, clientId, timeoutSeconds } = spec.introspection;
  if (mode === 'disabled') return { mode };
  return {
    mode,
    url: url ?? '', // the schema's rule makes url and clientId present in this mode
    trustFile: pem('introspection-trust', trust.introspectionTrust),
    client: pair('introspection', trust.introspectionClient),
    clientId: clientId ?? '',
    timeoutMs: timeoutSeconds * 1000,
  };
}
