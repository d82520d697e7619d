/** Leader election on a Lease (coordination.k8s.io/v1), after client-go's leaderelection. */
import type { KubeClient } from './client.ts';
import { KubeError } from './kube-error.ts';
import { createSpec, heldByOtherMs, type LeaseObject, type LeaseSpec, releaseSpec } from './lease.ts';
import { Lease, pathOf } from './resource-kind.ts';

export interface ElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Who we are; unique per process (pod name and a random part). */
  readonly identity: string;
  /** @param former who held the Lease and let it run out: that process is gone, or ends as soon as it looks */
  readonly onGained: (former?: string) => void;
  /** The process must end: another may lead from now on. Not called by stop(). */
  readonly onLost: (reason: string) => void;
  readonly onError?: (error: unknown) => void;
  /** 15 s: others wait this long after the last renewal they saw. */
  readonly leaseMs?: number;
  /** 10 s: without a renewal for this long, leadership is given up. */
  readonly renewDeadlineMs?: number;
  /** 2 s: between renewals, and jittered between attempts of those who wait. */
  readonly retryMs?: number;
  /** Wall clock, for what is written in the Lease; steady clock, for every decision. */
  readonly now?: () => Date;
  readonly steadyMs?: () => number;
  readonly random?: () => number;
}

export interface Election {
  /** False as soon as the deadline passed, even when nothing could run meanwhile. */
  isLeader(): boolean;
  /** Identity of the leader as last seen. */
  leader(): string | undefined;
  /** Milliseconds since our last renewal; undefined when not leading. */
  renewalAgeMs(): number | undefined;
  /** Gives the Lease back (holderIdentity ''), so that the next one leads at once. */
  stop(): Promise<void>;
}

/**
 * Contenders must not meet again and again. Less than client-go's 1.2, and who sees a lease run out is there when it does: a lost leader
 * is replaced within lease + 1.75 x retry (18.5 s), where client-go's times add up to 23.8 s.
 */
const jitter = 0.5;
const rush = 0.25;

/** waiting → leading → ended; waiting → ended. Who lost does not contend again: its process ends. */
type State = 'waiting' | 'leading' | 'ended';

export function startElection(options: ElectionOptions): Election {
  const { client, namespace, name, identity, leaseMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2_000 } = options;
  if (!(leaseMs > renewDeadlineMs && renewDeadlineMs > retryMs * (1 + jitter))) {
    const given = `${leaseMs}, ${renewDeadlineMs}, ${retryMs}`;
    throw new Error(`election times ${given} ms: lease > renewal deadline > ${1 + jitter} x retry, or two could lead`);
  }
  const now = options.now ?? (() => new Date());
  const steadyMs = options.steadyMs ?? (() => performance.now());
  const random = options.random ?? Math.random;
  const collection = pathOf(Lease, namespace);
  const path = pathOf(Lease, namespace, name);
  const timeoutMs = renewDeadlineMs / 2;

  let state: State = 'waiting';
  let renewedAt = -Infinity;
  let observed: { readonly lease: LeaseObject; readonly at: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();

  const isCurrent = (): boolean => state === 'leading' && steadyMs() - renewedAt < renewDeadlineMs;
  const hasEnded = (): boolean => state === 'ended';
  const end = (): void => {
    state = 'ended';
    clearTimeout(timer);
    clearTimeout(deadline);
  };
  const lose = (reason: string): void => {
    if (state !== 'leading') return;
    end();
    options.onLost(reason);
  };
  const checkDeadline = (): void => {
    if (state === 'leading' && !isCurrent()) lose(`not renewed for ${Math.round(steadyMs() - renewedAt)} ms`);
  };

  /** Time counts from when we saw a change, by our own clock: the clocks of others may be wrong. */
  const observe = (lease: LeaseObject): LeaseObject => {
    const same = JSON.stringify(observed?.lease.spec) === JSON.stringify(lease.spec);
    observed = { lease, at: same && observed !== undefined ? observed.at : steadyMs() };
    return lease;
  };
  const leftMs = (): number => heldByOtherMs(observed?.lease.spec, identity, observed?.at ?? 0, steadyMs(), leaseMs);
  const read = async (): Promise<LeaseObject | undefined> => {
    try {
      return observe(await client.request<LeaseObject>({ method: 'GET', path, urgent: true, timeoutMs }));
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  };
  const write = async (former: LeaseObject | undefined, spec: LeaseSpec): Promise<void> => {
    const metadata = former?.metadata ?? { name, namespace };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    // The resourceVersion within metadata makes the API server refuse whoever comes second.
    const target = former === undefined ? { method: 'POST', path: collection } : { method: 'PUT', path };
    observe(await client.request<LeaseObject>({ ...(target as Target), body, urgent: true, timeoutMs }));
  };
  const becomeCurrent = (startedAt: number, former: string | undefined): void => {
    renewedAt = startedAt;
    // The answer came too late to count on it: a leader ends, a contender renews first.
    if (steadyMs() - renewedAt >= renewDeadlineMs) {
      checkDeadline();
      return;
    }
    clearTimeout(deadline);
    deadline = setTimeout(checkDeadline, Math.max(0, renewedAt + renewDeadlineMs - steadyMs()) + 1);
    if (state === 'leading') return;
    state = 'leading';
    options.onGained(former);
  };
  const attempt = async (): Promise<void> => {
    const lease = await read();
    if (hasEnded()) return;
    const held = lease !== undefined && leftMs() > 0;
    if (lease !== undefined && state === 'leading' && lease.spec?.holderIdentity !== identity) {
      lose(`the lease is held by '${lease.spec?.holderIdentity ?? ''}'`);
      return;
    }
    if (held) return;
    const startedAt = steadyMs();
    await write(lease, createSpec(lease?.spec, identity, now(), leaseMs));
    const former = lease?.spec?.holderIdentity ?? '';
    if (!hasEnded()) becomeCurrent(startedAt, former === '' || former === identity ? undefined : former);
  };
  const tick = async (): Promise<void> => {
    checkDeadline();
    if (hasEnded()) return;
    try {
      await attempt();
    } catch (error) {
      // Conflict: another was quicker; the next attempt reads again. Everything else is tried again until the deadline.
      if (!(error instanceof KubeError && error.status === 409)) options.onError?.(error);
    }
    checkDeadline();
    plan(state === 'leading' ? retryMs : waitMs(leftMs(), retryMs, random));
  };
  const plan = (delayMs: number): void => {
    if (hasEnded()) return;
    timer = setTimeout(() => {
      underWay = tick();
    }, delayMs);
  };
  plan(0);

  return {
    isLeader: isCurrent,
    leader: () => observed?.lease.spec?.holderIdentity ?? undefined,
    renewalAgeMs: () => (state === 'leading' ? steadyMs() - renewedAt : undefined),
    async stop() {
      const wasLeader = isCurrent();
      end();
      await underWay;
      const lease = observed?.lease;
      // Also when an attempt under way took the lease after we had decided to stop.
      if (lease?.spec?.holderIdentity !== identity) return;
      try {
        await write(lease, releaseSpec(lease.spec, now()));
      } catch (error) {
        // The lease then runs out by itself, as it does when a process is killed.
        if (wasLeader) options.onError?.(error);
      }
    },
  };
}

/**
 * Until a contender looks again, ms.
 * @param leftMs for which another holds the lease yet
 */
export function waitMs(leftMs: number, retryMs: number, random: () => number): number {
  const usual = retryMs * (1 + jitter * random());
  return leftMs === 0 ? usual : Math.min(usual, leftMs + retryMs * rush * random());
}

type Target = { readonly method: 'POST' | 'PUT'; readonly path: string };
