/** Whether the gateway of a site runs, and with which configuration. Pure. */
import type { DrimboxSite } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import { type Verdict, bad, good, unknown } from './condition.ts';
import type { Observations } from './observations.ts';
import type { Planning } from './plan.ts';

export function workloadVerdict(site: DrimboxSite, seen: Observations, planning: Planning): Verdict {
  const key = keyOf(site);
  const type = 'WorkloadAvailable';
  const plan = planning.gatewayOf.get(key);
  const gateway = seen.gateways.get(key);
  if (plan === undefined) return bad(type, 'NotPlanned', 'no gateway runs, see the other conditions');
  const refused = seen.unwritten?.get(key);
  if (refused !== undefined) return bad(type, 'NotWritten', `the cluster refuses it: ${refused}`);
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
    return unknown(
      type,
      'Progressing',
      `revision ${status.revision} is in force, ${plan.config.revision} is on its way`,
    );
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
