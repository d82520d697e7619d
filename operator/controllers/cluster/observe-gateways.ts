/** The gateways of all sites, from their pods and from what they answer. */
import type { DrimboxSite } from '../../api/types.generated.ts';
import { podNames } from '../../infrastructure/kubernetes/names.ts';
import type { GatewayObservation, Observations, ReplicaObservation } from '../../plan/observations.ts';
import type { Remembered } from '../../plan/remembered.ts';
import { keyOf } from '../../resources/inventory.ts';
import type { GatewayPoll, PodAddress } from './gateway-poll.ts';
import { breathe } from '../../turns.ts';
import { type GatewayPodFacts, observePod } from './pod-facts.ts';

export interface ObserveGatewaysOptions {
  readonly podsOf: (site: string) => readonly GatewayPodFacts[];
  readonly poll: Pick<GatewayPoll, 'statusOf' | 'follow'>;
  readonly memory: Remembered;
}

export async function observeGateways(
  sites: readonly DrimboxSite[],
  { podsOf, poll, memory }: ObserveGatewaysOptions,
): Promise<Required<Pick<Observations, 'gateways' | 'replicas'>>> {
  const gateways = new Map<string, GatewayObservation>();
  const replicas = new Map<string, readonly ReplicaObservation[]>();
  const addresses = new Map<string, PodAddress>();
  const observe = (site: string, pod: GatewayPodFacts | undefined): GatewayObservation | undefined => {
    if (pod === undefined) return undefined;
    const key = keyOf(pod);
    const address = pod.status?.podIP;
    if (address !== undefined) addresses.set(key, { site, address });
    const status = poll.statusOf(key);
    return memory.of(`gateway ${key}`, [pod, status], () => observePod(pod, status));
  };
  for (const site of sites) {
    await breathe();
    const key = keyOf(site);
    const pods = podsOf(key);
    if (site.spec.storage.postgres === undefined) {
      const found = observe(key, pods[0]);
      if (found !== undefined) gateways.set(key, found);
      continue;
    }
    // Those that are one too many since a moment ago are still there: until a smaller number is planned they count.
    const names = podNames(site.metadata.name, Math.max(site.spec.replicas, pods.length));
    const found = names.map((name) =>
      observe(
        key,
        pods.find(({ metadata }) => metadata.name === name),
      ),
    );
    replicas.set(
      key,
      memory.of(`replicas ${key}`, found, () =>
        names.map((name, index): ReplicaObservation => {
          const gateway = found[index];
          return gateway === undefined ? { name } : { name, gateway };
        }),
      ),
    );
  }
  poll.follow(addresses);
  return { gateways, replicas };
}
