/**
 * What is remembered of each site in a Secret of its namespace, which nobody mounts: its certificate of the internal hop, and what was
 * last planned for it. So a new leader, or one that starts while a Secret is broken or a site is paused, goes on where the last one was.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DrimboxSite } from '../../api/types.generated.ts';
import { labelsOf, workloadName } from '../../infrastructure/kubernetes/names.ts';
import { ownerOf } from '../../infrastructure/kubernetes/site-metadata.ts';
import type { GatewayPlan } from '../../plan/gateway-plan.ts';
import type { IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import { type ApplyObject, secretData } from '../../resources/kubernetes/apply.ts';
import { keyOf } from '../../resources/kubernetes/resource-kind.ts';
import { oneText } from '../../resources/sharing.ts';
import type { PemPair } from '../../trust/internal-authority.ts';
import { type DataObject, type MemoryObject, memoryLabel } from './watches.ts';

/** Without the contents of its files: a site that keeps its former plan keeps the files it has. */
export interface RememberedPlan {
  readonly config: GatewayPlan['config'];
  readonly whenDeleted: GatewayPlan['whenDeleted'];
  readonly hosts: readonly IngressHost[];
}

export function memorySecret(site: DrimboxSite, identity: PemPair, plan: RememberedPlan | undefined): ApplyObject {
  const { name, namespace } = site.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: `${workloadName(name)}-memory`,
      labels: { ...labelsOf(name), [memoryLabel]: 'true' },
      ownerReferences: [ownerOf(site)],
    },
    type: 'kubernetes.io/tls',
    data: {
      ...secretData({ 'tls.crt': identity.certificatePem, 'tls.key': identity.keyPem }),
      ...(plan !== undefined && { [planKey]: gzipSync(JSON.stringify(plan)).toString('base64') }),
    },
  };
}

/** The pair as text, and as the very text that is in use: base64 of it would be kept for every site beside it. */
function identityIn({ data }: DataObject): PemPair | undefined {
  const [certificate, key] = [data?.['tls.crt'], data?.['tls.key']];
  if (certificate === undefined || key === undefined) return undefined;
  return { certificatePem: oneText(decoded(certificate)), keyPem: oneText(decoded(key)) };
}

/** Plans as they were remembered. They are read once, before the first round; twelve kilobytes of each site are not kept for ever. */
export interface PlanShelf {
  /** The object without its plan, which stands here from now on, and with its pair read. */
  shelve(object: DataObject): MemoryObject;
  /** @param key keyOf its Secret @throws Error when it is damaged: someone wrote into it */
  planOf(key: string): RememberedPlan | undefined;
  /** Nobody will ask again. */
  clear(): void;
}

const planKey = 'plan.json.gz';

export function createPlanShelf(): PlanShelf {
  const packed = new Map<string, string>();
  let open = true;
  return {
    shelve(object) {
      const identity = identityIn(object);
      const { [planKey]: plan, ...rest } = object.data ?? {};
      if (open && plan !== undefined) packed.set(keyOf(object), plan);
      if (identity === undefined) return plan === undefined ? object : { ...object, data: rest };
      const { 'tls.crt': _certificate, 'tls.key': _key, ...data } = rest;
      return { ...object, data, identity };
    },
    planOf(key) {
      const plan = packed.get(key);
      if (plan === undefined) return undefined;
      return JSON.parse(gunzipSync(Buffer.from(plan, 'base64')).toString('utf8')) as RememberedPlan;
    },
    clear() {
      open = false;
      packed.clear();
    },
  };
}

/** The plan before this operator's first, from what was remembered. */
export function planBefore(
  remembered: ReadonlyMap<string, RememberedPlan>,
  trusts: IngressPlan['trusts'],
  internal: IngressPlan['internal'],
): Plan {
  return {
    gateways: [...remembered].map(([site, { config, whenDeleted }]) => ({ site, config, whenDeleted, files: [] })),
    ingress: { hosts: [...remembered.values()].flatMap(({ hosts }) => hosts), trusts, internal },
  };
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
