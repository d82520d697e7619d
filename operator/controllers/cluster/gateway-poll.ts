/** Asks every gateway how it is, a few at a time, and tells when an answer says something new. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { GatewayStatus } from '../../../common/contract/gateway-status.ts';
import { podPorts } from '../../infrastructure/kubernetes/names.ts';
import { hashOf } from '../../resources/kubernetes/owned-fields.ts';
import { sharing } from '../../resources/sharing.ts';

export interface PodAddress {
  readonly site: string;
  readonly address: string;
}

export interface GatewayPoll {
  /** The last answer of the gateway in that pod; undefined when it gave none, or not in time. The same object until it says something new. */
  statusOf(pod: string): GatewayStatus | undefined;
  /** Whom to ask: pod (`NAMESPACE/NAME`) to where it is. */
  follow(addresses: ReadonlyMap<string, PodAddress>): void;
  stop(): Promise<void>;
}

export interface GatewayPollOptions {
  readonly periodMs: number;
  readonly onNews: (pod: string) => void;
  /** `http://ADDRESS:PORT`, for the gateway in a pod. */
  readonly urlOf?: GatewayUrl;
  readonly random: () => number;
}

export type GatewayUrl = (place: PodAddress & { readonly pod: string }) => string;

/** At once, in each lane. */
const parallel = 16;
const timeoutMs = 3_000;
/** Answers missed before it counts as silent: one may be lost on the way. */
const patience = 2;

interface Known {
  readonly place: PodAddress;
  nextAt: number;
  missed: number;
  /** Digest of its {@link news}. */
  said: string;
  status: GatewayStatus | undefined;
  /** It waits in a lane, or is being asked. */
  taken: boolean;
}

/** Those that answer and those that do not wait in lanes of their own: who hangs holds up nobody who is well. */
interface Lane {
  readonly waiting: (readonly [pod: string, one: Known])[];
  busy: number;
}

export function startGatewayPoll(options: GatewayPollOptions): GatewayPoll {
  const urlOf =
    options.urlOf ?? (({ address }) => `http://${address.includes(':') ? `[${address}]` : address}:${podPorts.admin}`);
  const agent = new Agent({ connections: 1, keepAliveTimeout: 60_000 });
  const known = new Map<string, Known>();
  const answering: Lane = { waiting: [], busy: 0 };
  const silent: Lane = { waiting: [], busy: 0 };
  const under = new Set<Promise<void>>();
  const stopping = new AbortController();

  const ask = async (pod: string, one: Known): Promise<void> => {
    const status = await fetchStatus(`${urlOf({ ...one.place, pod })}/status`, agent);
    // The pod was replaced meanwhile: what the former one said, or did not say, is over.
    if (known.get(pod) !== one || stopping.signal.aborted) return;
    one.missed = status === undefined ? one.missed + 1 : 0;
    if (status === undefined && one.missed < patience && one.status !== undefined) return;
    const said = status === undefined ? '' : news(status);
    if (said === one.said) return;
    one.said = said;
    one.status = sharing(status, one.status);
    options.onNews(pod);
  };
  const turn = async (lane: Lane, pod: string, one: Known): Promise<void> => {
    // One that is well is asked half as often: what matters most is that a new one is noticed soon.
    const period = one.status?.ready === true ? options.periodMs * 2 : options.periodMs;
    one.nextAt = performance.now() + period * (0.9 + 0.2 * options.random());
    await ask(pod, one);
    one.taken = false;
    lane.busy -= 1;
    fill(lane);
  };
  const fill = (lane: Lane): void => {
    while (lane.busy < parallel && !stopping.signal.aborted) {
      const [pod, one] = lane.waiting.shift() ?? [];
      if (pod === undefined || one === undefined) return;
      if (known.get(pod) !== one) continue; // replaced or gone while it waited
      lane.busy += 1;
      const turning = turn(lane, pod, one).finally(() => under.delete(turning));
      under.add(turning);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const at = performance.now();
      for (const [pod, one] of known) {
        if (one.taken || one.nextAt > at) continue;
        one.taken = true;
        (one.status === undefined || one.missed > 0 ? silent : answering).waiting.push([pod, one]);
      }
      for (const lane of [answering, silent]) fill(lane);
      await sleep(Math.min(250, options.periodMs), undefined, { signal: stopping.signal }).catch(() => undefined); // told to stop
    }
  };
  const running = loop();
  return {
    statusOf: (pod) => known.get(pod)?.status,
    follow(addresses) {
      for (const pod of known.keys()) if (!addresses.has(pod)) known.delete(pod);
      for (const [pod, place] of addresses) {
        const one = known.get(pod);
        if (one?.place.address === place.address) continue;
        const said = one ?? { missed: 0, said: '', status: undefined };
        known.set(pod, { ...said, place, nextAt: 0, taken: false });
      }
    },
    async stop() {
      stopping.abort();
      await running;
      await agent.destroy();
      await Promise.all(under);
    },
  };
}

/** What is worth a round: counters and times move all day. */
function news({ publications: _counts, pacs, ...rest }: GatewayStatus): string {
  return hashOf([rest, pacs.map(({ lastEchoTime: _time, ...pac }) => pac)]);
}

async function fetchStatus(url: string, agent: Agent): Promise<GatewayStatus | undefined> {
  try {
    const answer = await request(url, { dispatcher: agent, signal: AbortSignal.timeout(timeoutMs) });
    const body = (await answer.body.json()) as GatewayStatus;
    return body.apiVersion === 'gateway.drimbox.dev/v1alpha1' ? body : undefined;
  } catch {
    return undefined; // starting, stopping or hanging: said by its absence
  }
}
