/** Reads the gateway config document: structure by schema, then the rules a schema can't say. Every fault names its path. */
import { type ErrorObject, Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { type GatewayConfig, GatewayConfigSchema } from './gateway-config.ts';

export interface ConfigFault {
  /** JSON pointer, e.g. /pacs/0/port */
  readonly path: string;
  readonly message: string;
}

export type ConfigReading =
  | { readonly ok: true; readonly config: GatewayConfig }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

// That the schema is one is for a test to say: looking costs each start of a gateway a tenth of a second, and
// polishing code that reads one document half of that.
const ajv = new Ajv({ allErrors: true, strict: false, meta: false, validateSchema: false, code: { optimize: false } });
addFormats.default(ajv);
const validate = ajv.compile<GatewayConfig>(GatewayConfigSchema);

/** @param text JSON. */
export function readGatewayConfig(text: string): ConfigReading {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return {
      ok: false,
      faults: [{ path: '', message: `not JSON: ${error instanceof Error ? error.message : String(error)}` }],
    };
  }
  if (!validate(document)) return { ok: false, faults: (validate.errors ?? []).map(toFault) };
  const faults = rules.flatMap((rule) => rule(document));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, config: document };
}

function toFault(error: ErrorObject): ConfigFault {
  const extra = error.keyword === 'additionalProperties' ? `: ${String(error.params['additionalProperty'])}` : '';
  return { path: error.instancePath, message: `${error.message ?? error.keyword}${extra}` };
}

type Rule = (config: GatewayConfig) => readonly ConfigFault[];

function duplicates(values: readonly string[]): number[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));
}

const rules: readonly Rule[] = [
  (config) =>
    duplicates(config.pacs.map(({ name }) => name)).map((i) => ({
      path: `/pacs/${i}/name`,
      message: 'another PACS has this name',
    })),
  (config) =>
    duplicates(config.pacs.map(({ wadoFqdn }) => wadoFqdn.toLowerCase())).map((i) => ({
      path: `/pacs/${i}/wadoFqdn`,
      message: 'one FQDN per PACS (DB0 §4.5.11)',
    })),
  (config) =>
    duplicates(config.ris.map(({ name }) => name)).map((i) => ({
      path: `/ris/${i}/name`,
      message: 'another RIS has this name',
    })),
  (config) =>
    duplicates(config.ris.map((ris) => `${ris.sendingApplication}\u0001${ris.sendingFacility ?? ''}`)).map((i) => ({
      path: `/ris/${i}/sendingApplication`,
      message: 'another RIS has the same MSH-3 and MSH-4: messages could not be told apart (DB.SO.04)',
    })),
  (config) =>
    config.ris.flatMap((ris, i) =>
      ris.pacs.flatMap((name, j) =>
        config.pacs.some((pacs) => pacs.name === name)
          ? []
          : [{ path: `/ris/${i}/pacs/${j}`, message: `no PACS is named ${name}` }],
      ),
    ),
  (config) =>
    duplicates(config.pacs.flatMap(({ aeTitlePool }) => aeTitlePool)).length === 0
      ? []
      : [{ path: '/pacs', message: 'an AE title of a pool stands twice: images of two PACS would meet on it' }],
  (config) =>
    config.pacs.flatMap((pacs, i) =>
      pacs.maxConcurrentMoves > pacs.aeTitlePool.length
        ? [{ path: `/pacs/${i}/maxConcurrentMoves`, message: 'more moves at once than AE titles in aeTitlePool' }]
        : [],
    ),
  ({ replicas = 1, storage }) =>
    replicas > 1 && storage.postgres === undefined
      ? [
          {
            path: '/replicas',
            message: `${replicas} gateways need storage.postgres: a SQLite file serves one; give a database, or set replicas to 1`,
          },
        ]
      : [],
  ({ replicas = 1, pacs }) =>
    pacs.flatMap(({ aeTitlePool }, i) =>
      aeTitlePool.length < replicas
        ? [
            {
              path: `/pacs/${i}/aeTitlePool`,
              message: `${aeTitlePool.length} AE titles for ${replicas} gateways: each takes titles of its own, give at least ${replicas}`,
            },
          ]
        : [],
    ),
  (config) =>
    (['wado', 'viewer'] as const).flatMap((name) => {
      const { tls } = config.listeners[name];
      if (tls.mode === 'ingress' && tls.ingressName === undefined)
        return [{ path: `/listeners/${name}/tls/ingressName`, message: 'required when mode is ingress' }];
      if (tls.mode === 'direct' && name === 'wado' && tls.crlFile === undefined)
        return [{ path: `/listeners/${name}/tls/crlFile`, message: 'required when mode is direct (DB.SO.111)' }];
      return [];
    }),
  (config) =>
    config.environment === 'PROD' && config.introspection.mode === 'disabled'
      ? [{ path: '/introspection/mode', message: 'introspection can be disabled in TEST only (NOTICE §5.3.2)' }]
      : [],
  (config) => {
    try {
      return new Intl.DateTimeFormat('fr', { timeZone: config.site.timeZone }).resolvedOptions().timeZone === ''
        ? [{ path: '/site/timeZone', message: 'unknown' }]
        : [];
    } catch (error) {
      return [
        {
          path: '/site/timeZone',
          message: `${error instanceof Error ? error.message : String(error)}: use an IANA name such as Europe/Paris`,
        },
      ];
    }
  },
];
