/** Whether the gateway of a site runs, and with which configuration; of several whether all do. Pure. */
import type { DrimboxSite } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import { type Verdict, bad, good, unknown } from './condition.ts';
import type { GatewayPlan } from './gateway-plan.ts';
import type { GatewayObservation, Observations, ReplicaObservation } from './observations.ts';
import type { Planning } from './plan.ts';
import { gatewayOf, replicasOf } from './replicas.ts';

export interface WorkloadOutcome {
  /**
   * `WorkloadAvailable`: whoever calls is served. With several gateways `ReplicasReady` as well: every one of them serves; while one
   * is away the site is not what was asked for, and works.
   */
  readonly verdicts: readonly Verdict[];
  /** Those that serve, of those wanted, as 1/2; absent where there is one. */
  readonly serving?: string;
}

export function workloadOutcome(site: DrimboxSite, seen: Observations, planning: Planning): WorkloadOutcome {
  const key = keyOf(site);
  const type = 'WorkloadAvailable';
  const plan = planning.gatewayOf.get(key);
  if (plan === undefined) return { verdicts: [bad(type, 'NotPlanned', 'no gateway runs, see the other conditions')] };
  const refused = seen.unwritten?.get(key);
  const unwritten = refused === undefined ? [] : [bad(type, 'NotWritten', `the cluster refuses it: ${refused}`)];
  const replicas = replicasOf(key, seen, planning);
  if (replicas.length > 1) return ofSeveral(site, replicas, plan, unwritten);
  return {
    verdicts: unwritten.length > 0 ? unwritten : [verdictOf(site, gatewayOf(key, seen, planning), plan)],
  };
}

function ofSeveral(
  site: DrimboxSite,
  replicas: readonly ReplicaObservation[],
  plan: GatewayPlan,
  unwritten: readonly Verdict[],
): WorkloadOutcome {
  const judged = replicas.map(({ name, gateway }) => ({ name, verdict: verdictOf(site, gateway, plan) }));
  const missing = judged.filter(({ verdict }) => verdict.status !== 'True');
  const serving = judged.length - missing.length;
  const worst = missing.find(({ verdict }) => verdict.status === 'False') ?? missing[0];
  const count = `${serving} of ${replicas.length} gateways serve`;
  const available =
    worst === undefined || serving > 0
      ? good('WorkloadAvailable', 'Running', serving === replicas.length ? '' : count)
      : { ...worst.verdict, message: `${worst.name}: ${worst.verdict.message}` };
  const words = missing.map(({ name, verdict }) => `${name}: ${verdict.message}`).join('; ');
  const all =
    worst === undefined
      ? good('ReplicasReady', 'AllServe')
      : { ...worst.verdict, type: 'ReplicasReady', message: `${count}; ${words}` };
  return { verdicts: [unwritten[0] ?? available, all], serving: `${serving}/${replicas.length}` };
}

/** Reason of what waits for a gateway's newer configuration. */
export const progressing = 'Progressing';

export function onItsWay(inForce: string, wanted: string): string {
  return `revision ${inForce} is in force, ${wanted} is on its way`;
}

function verdictOf(site: DrimboxSite, gateway: GatewayObservation | undefined, plan: GatewayPlan): Verdict {
  const type = 'WorkloadAvailable';
  if (gateway === undefined) return unknown(type, 'Starting', 'the gateway is being started');
  if (gateway.waiting !== undefined)
    return bad(type, gateway.waiting.reason, `${gateway.waiting.message}${ofClaim(site, gateway.waiting.message)}`);
  if (!gateway.running)
    return bad(
      type,
      'Restarting',
      `the gateway ended ${gateway.restarts} times, lately with ${gateway.lastEnd ?? 'unknown'}`,
    );
  const { status } = gateway;
  if (status === undefined)
    return unknown(type, 'NotAnswering', 'the gateway runs but does not answer GET /status yet');
  if (status.refusedConfig !== undefined)
    return bad(
      type,
      'ConfigRefused',
      `the gateway keeps its former config: ${status.refusedConfig.path} ${status.refusedConfig.message}`,
    );
  if (status.revision !== plan.config.revision)
    return unknown(type, progressing, onItsWay(status.revision, plan.config.revision));
  if (!status.ready) {
    const cause = status.conditions.find((condition) => condition.status !== 'True');
    return bad(type, cause?.reason ?? 'NotReady', cause?.message ?? 'the gateway says it is not ready');
  }
  return good(type, 'Running', gateway.restarts === 0 ? '' : `restarted ${gateway.restarts} times`);
}

/** The scheduler says that a claim is not bound, not which class it waits for. */
function ofClaim({ spec }: DrimboxSite, message: string): string {
  if (!message.includes('PersistentVolumeClaim')) return '';
  const { storageClassName } = spec.storage;
  const asked = storageClassName === undefined ? 'the default class' : `class ${storageClassName}`;
  return `; the claim of this site asks for ${asked} (spec.storage.storageClassName)`;
}
