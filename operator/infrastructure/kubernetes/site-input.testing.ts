/** For the tests of this room: a small site as the API server would give it, and what was planned for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { PostgresConfig } from '../../../common/contract/gateway-config.ts';
import { readDefinitions } from '../../api/schema.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from '../../api/types.generated.ts';
import { judge } from '../../api/validate.ts';
import type { Resource } from '../../api/validate.ts';
import type { Plan } from '../../plan/plan.ts';
import type { SiteInput } from './site-objects.ts';

const root = join(import.meta.dirname, '../../..');
const definitions = readDefinitions(join(root, 'crds'));
const read = (name: string): string => readFileSync(join(root, 'operator/plan/golden', name), 'utf8');

/** With the defaults of its schema. @throws Error with the faults of what is no resource of ours */
function resource(document: object): Resource {
  const { kind } = document as { readonly kind: string };
  const definition = definitions.get(kind);
  if (definition === undefined) throw new Error(`no kind ${kind}`);
  const judgement = judge(definition, document);
  if (!judgement.accepted) throw new Error(JSON.stringify(judgement.faults));
  return judgement.resource;
}

type Postgres = NonNullable<DrimboxSite['spec']['storage']['postgres']>;

function planned({ host, port, database }: Postgres): PostgresConfig {
  return { host, port, database, user: 'app', passwordFile: '/a/password', trustFile: '/a/trust.pem' };
}

const uid = '00000000-0000-4000-8000-000000000001';

/** Site `group/nord` with two links, of the trust space `test`. @param spec replaces fields of the site's spec */
export function siteInput(spec: object = {}): SiteInput {
  const documents = parseAllDocuments(read('two-sites.in.yaml')).map((one) => one.toJS() as { readonly kind?: string });
  const resources = documents.filter(({ kind }) => kind !== undefined).map(resource);
  const found = resources.find((one): one is DrimboxSite => one.kind === 'DrimboxSite' && one.metadata.name === 'nord');
  const trust = resources.find((one): one is TrustSpace => one.kind === 'TrustSpace');
  const plan = (parse(read('two-sites.out.yaml')) as Plan).gateways.find(({ site }) => site === 'group/nord');
  if (found === undefined || trust === undefined || plan === undefined) throw new Error('two-sites has no nord');
  const site = resource({ ...found, spec: { ...found.spec, ...spec } }) as DrimboxSite;
  const { postgres } = site.spec.storage;
  return {
    site: { ...site, metadata: { ...site.metadata, uid } },
    trust,
    links: resources.filter((one): one is PacsLink => one.kind === 'PacsLink' && one.spec.site === 'nord'),
    plan: {
      ...plan,
      config: {
        ...plan.config,
        ...(postgres !== undefined && { storage: { ...plan.config.storage, postgres: planned(postgres) } }),
        ...(site.spec.replicas > 1 && { replicas: site.spec.replicas }),
      },
      files: [
        { name: 'internal-1.crt', content: 'a certificate', secret: false },
        { name: 'internal-1.key', content: 'its key', secret: true },
      ],
    },
    settings: {
      image: 'registry.example/drimbox/gateway:1.0.0',
      imagePullPolicy: 'IfNotPresent',
      imagePullSecrets: [],
      system: { name: 'drimbox' },
    },
  };
}
