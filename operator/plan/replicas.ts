/**
 * Several gateways of one site seen as one. What any of them says against the site counts, and it is said of which; counts of
 * publications are in the database that they share, so those of one are those of all. Pure.
 */
import type { GatewayCondition, GatewayPacsStatus, GatewayStatus } from '../../common/contract/gateway-status.ts';
import type { GatewayObservation, Observations, ReplicaObservation } from './observations.ts';
import type { Planning } from './plan.ts';

/** The gateways of a site that are to be there, in order; empty where a site has one, which `gateways` of the observations holds. */
export function replicasOf(site: string, seen: Observations, planning: Planning): readonly ReplicaObservation[] {
  const planned = planning.gatewayOf.get(site)?.config.replicas ?? 1;
  return seen.replicas?.get(site)?.slice(0, planned) ?? [];
}

/** Whatever stands for the site: its gateway, or all of them as one; undefined while there is none. */
export function gatewayOf(site: string, seen: Observations, planning: Planning): GatewayObservation | undefined {
  const replicas = replicasOf(site, seen, planning);
  const [first] = replicas;
  if (first === undefined) return seen.gateways.get(site);
  return replicas.length === 1 ? first.gateway : asOne(replicas);
}

/** @returns undefined while none of them is there */
export function asOne(replicas: readonly ReplicaObservation[]): GatewayObservation | undefined {
  const there = replicas.flatMap(({ gateway }) => gateway ?? []);
  if (there.length === 0) return undefined;
  const answers = replicas.flatMap(({ name, gateway }): Answer[] =>
    gateway?.status === undefined ? [] : [{ name, status: gateway.status }],
  );
  const status = merged(answers);
  return {
    running: there.some(({ running }) => running),
    restarts: there.reduce((sum, { restarts }) => sum + restarts, 0),
    ...(status !== undefined && { status }),
  };
}

interface Answer {
  readonly name: string;
  readonly status: GatewayStatus;
}

function merged(answers: readonly Answer[]): GatewayStatus | undefined {
  const [first] = answers;
  if (first === undefined) return undefined;
  const pacs = [...new Set(answers.flatMap(({ status }) => status.pacs.map(({ name }) => name)))];
  return {
    ...first.status,
    // Two while a change is on its way.
    revision: [...new Set(answers.map(({ status }) => status.revision))].join(', '),
    ready: answers.every(({ status }) => status.ready),
    conditions: worstOfEach(answers.map(({ name, status }) => ({ name, conditions: status.conditions }))),
    pacs: pacs.map((name) => mergedPacs(name, answers)),
  };
}

function mergedPacs(pacs: string, answers: readonly Answer[]): GatewayPacsStatus {
  const said = answers.flatMap(({ name, status }) => {
    const found = status.pacs.find((one) => one.name === pacs);
    return found === undefined ? [] : [{ ...found, gateway: name }];
  });
  const [last] = said.flatMap(({ lastEchoTime }) => lastEchoTime ?? []).toSorted((a, b) => (a < b ? 1 : -1));
  return {
    name: pacs,
    conditions: worstOfEach(said.map(({ gateway, conditions }) => ({ name: gateway, conditions }))),
    ...(last !== undefined && { lastEchoTime: last }),
  };
}

interface Said {
  /** Of the gateway. */
  readonly name: string;
  readonly conditions: readonly GatewayCondition[];
}

const badness = { True: 0, Unknown: 1, False: 2 } as const;

/** Of each type the worst that is said of it; where not all say it, by whom. */
function worstOfEach(said: readonly Said[]): GatewayCondition[] {
  const all = said.flatMap(({ name, conditions }) => conditions.map((condition) => ({ name, condition })));
  return [...Map.groupBy(all, ({ condition }) => condition.type).values()].flatMap((ofType) => {
    const worst = Math.max(...ofType.map(({ condition }) => badness[condition.status]));
    const those = ofType.filter(({ condition }) => badness[condition.status] === worst);
    const [first] = those;
    if (first === undefined) return [];
    const { reason, message } = first.condition;
    const alike = those.every(({ condition }) => condition.reason === reason && condition.message === message);
    if (worst === badness.True || (alike && those.length === said.length)) return [first.condition];
    const words = those.map(({ name, condition }) => `${name}: ${condition.message || condition.reason}`);
    return [{ ...first.condition, message: words.join('; ') }];
  });
}
