/**
 * The gateway config document: the only thing the operator tells a gateway (architecture §4.2).
 * JSON, versioned, validated on load; a bad one is refused with the path of the fault and the old one stays.
 * Every file named here is mounted or written by the operator; paths are absolute; times are milliseconds.
 */
import { type Static, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false } as const;
const name = Type.String({ pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' });
const port = Type.Integer({ minimum: 0, maximum: 65535 });
const host = Type.String({ minLength: 1, maxLength: 253 });
const file = Type.String({ minLength: 1, maxLength: 4096 });
const oid = Type.String({ pattern: '^[0-2](\\.(0|[1-9][0-9]*))+$', maxLength: 64 });
const aeTitle = Type.String({
  pattern: '^[\\x21-\\x5B\\x5D-\\x7E]([\\x20-\\x5B\\x5D-\\x7E]{0,14}[\\x21-\\x5B\\x5D-\\x7E])?$',
});
const milliseconds = Type.Integer({ minimum: 0, maximum: 86_400_000 });
const structureId = Type.String({ pattern: '^[0-9A-Za-z/.-]{3,40}$' });

const Listen = Type.Object({ host, port }, closed);

/** A TLS identity on disk: PEM files. */
const KeyPair = Type.Object({ certificateFile: file, keyFile: file }, closed);

/**
 * How the WADO listener learns who calls (architecture §5.2, §5.3).
 * `ingress`: only the ingress, proven by the internal CA, may connect; the peer is read from XFCC.
 * `direct`: the gateway ends mutual TLS itself.
 */
const WadoTls = Type.Object(
  {
    mode: Type.Union([Type.Literal('ingress'), Type.Literal('direct')]),
    server: KeyPair,
    clientCaFile: file,
    /** PEM, one CRL or more; required by `direct`. */
    crlFile: Type.Optional(file),
    /** DNS SAN (or CN) that the ingress's own client certificate carries; required by `ingress`. */
    ingressName: Type.Optional(host),
  },
  closed,
);

const Ris = Type.Object(
  {
    name,
    /** MSH-3 (DB.SO.04). */
    sendingApplication: Type.String({ minLength: 1, maxLength: 227 }),
    /** MSH-4; any when absent. */
    sendingFacility: Type.Optional(Type.String({ minLength: 1, maxLength: 227 })),
    /** PacsLink names asked in this order until one holds the study (DB.SO.140). */
    pacs: Type.Array(name, { minItems: 1, maxItems: 32 }),
  },
  closed,
);

const Pacs = Type.Object(
  {
    name,
    host,
    port,
    aeTitle,
    /** Our AE title when we ask (C-FIND, C-MOVE, C-ECHO). */
    callingAeTitle: aeTitle,
    /** One per concurrent C-MOVE; each is configured in the PACS as a destination (DB0 §4.8). */
    aeTitlePool: Type.Array(aeTitle, { minItems: 1, maxItems: 64, uniqueItems: true }),
    /** `db` FQDN: goes into every RetrieveURL; SNI and Host select the PACS. */
    wadoFqdn: host,
    /** `vi` FQDN. */
    viewerFqdn: host,
    /** Public HTTPS port of the ingress; 443 is left out of the RetrieveURL. */
    publicPort: Type.Integer({ minimum: 1, maximum: 65535 }),
    /** (0040,E011) and "Repository Unique ID" of audit 12.3. */
    retrieveLocationUid: oid,
    relationalQueries: Type.Union([Type.Literal('auto'), Type.Literal('always'), Type.Literal('never')]),
    /** C-MOVE operations at once, at most the size of the pool (DB.SO.121). */
    maxConcurrentMoves: Type.Integer({ minimum: 1, maximum: 64 }),
    connectTimeoutMs: milliseconds,
    /** Longest silence of the PACS inside one operation; beyond it E1005 (DB0 §4.5.11.3: 60 s). */
    responseTimeoutMs: milliseconds,
    /** SOPInstanceUID roots left out of KOS and WADO alike (DB.SO.199). */
    excludedSopInstanceRoots: Type.Array(oid, { maxItems: 32 }),
    /** StudyInstanceUID that skips the KOS checks (DB0 §4.5.11.3 note). */
    referenceStudyUid: Type.Optional(oid),
    /** Check INS/IPP and birth date of the PACS against the report (DB.SO.16, DB.SO.191). */
    patientChecks: Type.Boolean(),
  },
  closed,
);

/** IGC-Sante ORG certificates of one structure (DB0 §4.5.5): AUTH_CLI for TLS, SIGN for VIHF and submission set. */
const DmpStructure = Type.Object({ structureId, authentication: KeyPair, signature: KeyPair }, closed);

const Dmp = Type.Object(
  {
    /** Base URL up to `/services`, e.g. `https://host/si-dmp-server/v2/services`. */
    url: Type.String({ format: 'uri', maxLength: 2048 }),
    trustFile: file,
    structures: Type.Array(DmpStructure, { minItems: 1, maxItems: 64 }),
    software: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 64 }),
        version: Type.String({ minLength: 1, maxLength: 64 }),
        homologationId: Type.String({ minLength: 1, maxLength: 64 }),
      },
      closed,
    ),
    timeoutMs: milliseconds,
    retry: Type.Object({ initialMs: milliseconds, maximumMs: milliseconds }, closed),
  },
  closed,
);

/** RFC 7662 introspection at Pro Sante Connect or at a proxy e-Sante (DB0 §4.5.11.1). `disabled` exists for homologation only. */
const Introspection = Type.Union([
  Type.Object({ mode: Type.Literal('disabled') }, closed),
  Type.Object(
    {
      mode: Type.Literal('rfc7662'),
      url: Type.String({ format: 'uri', maxLength: 2048 }),
      trustFile: file,
      client: KeyPair,
      clientId: Type.String({ minLength: 1, maxLength: 256 }),
      timeoutMs: milliseconds,
    },
    closed,
  ),
]);

const Whitelist = Type.Object(
  {
    /** The XML exactly as published (DB.CS.148); re-read when it changes. */
    file,
    anchorsFile: file,
    /** PEM CRLs of the signer's chain; absent: revocation by policy of `requireRevocation`. */
    crlFile: Type.Optional(file),
    requireRevocation: Type.Boolean(),
    signer: Type.Object(
      {
        commonName: Type.String({ minLength: 1, maxLength: 256 }),
        organizationalUnit: Type.String({ minLength: 1, maxLength: 256 }),
      },
      closed,
    ),
  },
  closed,
);

/** The archive in a database of others, for several gateways of one site. Always TLS, and the server's name is checked. */
const Postgres = Type.Object(
  {
    host,
    port: Type.Integer({ minimum: 1, maximum: 65535 }),
    database: Type.String({ minLength: 1, maxLength: 63 }),
    user: Type.String({ minLength: 1, maxLength: 63 }),
    /** The password alone; line feeds at its end are not part of it. */
    passwordFile: file,
    /** PEM: authorities of the server's certificate. */
    trustFile: file,
  },
  closed,
);

export const GatewayConfigSchema = Type.Object(
  {
    apiVersion: Type.Literal('gateway.drimbox.dev/v1alpha1'),
    environment: Type.Union([Type.Literal('PROD'), Type.Literal('TEST')]),
    /** Bumped by the operator on every change; echoed by the status page and in logs. */
    revision: Type.String({ minLength: 1, maxLength: 128 }),
    site: Type.Object(
      {
        namespace: name,
        name,
        /** Struct_IdNat of the site (prefix 1 FINESS, 3 SIRET, 4 RPPS-rang). */
        structureId,
        structureName: Type.String({ minLength: 1, maxLength: 256 }),
        /** OID root under which this DRIMbox makes its UIDs; absent: 2.25.<uuid>. */
        uidRoot: Type.Optional(oid),
        /** XDS sourceId of this DRIMbox. */
        sourceId: oid,
        /** Internal id of this system in audit participants. */
        systemId: Type.String({ minLength: 1, maxLength: 64 }),
        timeZone: Type.String({ minLength: 1, maxLength: 64 }),
      },
      closed,
    ),
    listeners: Type.Object(
      {
        mllp: Type.Object(
          { ...Listen.properties, maxMessageBytes: Type.Integer({ minimum: 65_536, maximum: 268_435_456 }) },
          closed,
        ),
        dimse: Listen,
        wado: Type.Object({ ...Listen.properties, tls: WadoTls }, closed),
        /** Viewer and health, behind the ingress on the `vi` FQDNs; internal mTLS as for WADO. */
        viewer: Type.Object({ ...Listen.properties, tls: WadoTls }, closed),
        /** Status, metrics; never exposed. */
        admin: Listen,
      },
      closed,
    ),
    ris: Type.Array(Ris, { minItems: 1, maxItems: 64 }),
    pacs: Type.Array(Pacs, { minItems: 1, maxItems: 64 }),
    dmp: Dmp,
    introspection: Introspection,
    whitelist: Whitelist,
    /** Without postgres the archive is a SQLite file in the directory. */
    storage: Type.Object({ directory: file, postgres: Type.Optional(Postgres) }, closed),
    /**
     * Gateways of this site; more than one only with storage.postgres. Each has its index from 0 in the environment (POD_INDEX) and
     * takes of every AE-title pool the titles at `index, index + replicas, ...`. Absent: 1.
     */
    replicas: Type.Optional(Type.Integer({ minimum: 1, maximum: 16 })),
    log: Type.Object(
      { level: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')]) },
      closed,
    ),
  },
  { ...closed, $id: 'https://drimbox.dev/schemas/gateway-config.v1alpha1.json' },
);

export type GatewayConfig = Static<typeof GatewayConfigSchema>;
export type PostgresConfig = NonNullable<GatewayConfig['storage']['postgres']>;
export type PacsConfig = GatewayConfig['pacs'][number];
export type RisConfig = GatewayConfig['ris'][number];
export type DmpConfig = GatewayConfig['dmp'];
export type DmpStructureConfig = DmpConfig['structures'][number];
export type IntrospectionConfig = GatewayConfig['introspection'];
export type WhitelistConfig = GatewayConfig['whitelist'];
export type TlsListenConfig = GatewayConfig['listeners']['wado'];
/** How a listener ends TLS and learns who calls. */
export type DoorConfig = TlsListenConfig['tls'];
