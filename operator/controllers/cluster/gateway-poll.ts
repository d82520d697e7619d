/** Asks every gateway how it is, a few at a time, and tells when an answer says something new. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { GatewayStatus } from '../../../common/contract/gateway-status.ts';
import { podPorts } from '../../infrastructure/kubernetes/names.ts';

export interface GatewayPoll {
  /** Its last answer; undefined when it gave none, or not in time. The same object until it says something new. */
  statusOf(site: string): GatewayStatus | undefined;
  /** Whom to ask: site to the address of its pod. */
  follow(addresses: ReadonlyMap<string, string>): void;
  stop(): Promise<void>;
}

export interface GatewayPollOptions {
  readonly periodMs: number;
  readonly onNews: (site: string) => void;
  /** `http://ADDRESS:PORT`, for a gateway at this address. */
  readonly urlOf?: (address: string, site: string) => string;
  readonly random: () => number;
}

const parallel = 16;
const timeoutMs = 3_000;
/** Answers missed before it counts as silent: one may be lost on the way. */
const patience = 2;

interface Known {
  address: string;
  nextAt: number;
  missed: number;
  said: string;
  status: GatewayStatus | undefined;
}

export function startGatewayPoll(options: GatewayPollOptions): GatewayPoll {
  const urlOf =
    options.urlOf ?? ((address) => `http://${address.includes(':') ? `[${address}]` : address}:${podPorts.admin}`);
  const agent = new Agent({ connections: 1, keepAliveTimeout: 60_000 });
  const known = new Map<string, Known>();
  const stopping = new AbortController();

  const ask = async (site: string, one: Known): Promise<void> => {
    const { address } = one;
    const status = await fetchStatus(`${urlOf(address, site)}/status`, agent);
    // Its pod was replaced meanwhile: what the former one said, or did not say, is over.
    if (one.address !== address) return;
    one.missed = status === undefined ? one.missed + 1 : 0;
    if (status === undefined && one.missed < patience && one.status !== undefined) return;
    const said = status === undefined ? '' : news(status);
    if (said === one.said) return;
    one.said = said;
    one.status = status;
    options.onNews(site);
  };
  const round = async (): Promise<void> => {
    const at = performance.now();
    const due = [...known].filter(([, { nextAt }]) => nextAt <= at);
    const worker = async (): Promise<void> => {
      for (let next = due.pop(); next !== undefined; next = due.pop()) {
        const [site, one] = next;
        // One that is well is asked half as often: what matters most is that a new one is noticed soon.
        const period = one.status?.ready === true ? options.periodMs * 2 : options.periodMs;
        one.nextAt = performance.now() + period * (0.9 + 0.2 * options.random());
        await ask(site, one);
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await round();
      await sleep(Math.min(250, options.periodMs), undefined, { signal: stopping.signal }).catch(() => undefined); // told to stop
    }
  };
  const running = loop();
  return {
    statusOf: (site) => known.get(site)?.status,
    follow(addresses) {
      for (const site of known.keys()) if (!addresses.has(site)) known.delete(site);
      for (const [site, address] of addresses) {
        const one = known.get(site);
        if (one === undefined) known.set(site, { address, nextAt: 0, missed: 0, said: '', status: undefined });
        else if (one.address !== address) Object.assign(one, { address, nextAt: 0 });
      }
    },
    async stop() {
      stopping.abort();
      await running;
      await agent.destroy();
    },
  };
}

/** What is worth a round: counters and times move all day. */
function news({ publications: _counts, pacs, ...rest }: GatewayStatus): string {
  return JSON.stringify([rest, pacs.map(({ lastEchoTime: _time, ...pac }) => pac)]);
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
