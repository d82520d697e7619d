/** What stands in a Lease used for leader election, and what it means (client-go, resourcelock.LeaderElectionRecord). */
import { microTime } from './micro-time.ts';
import type { ObjectMetadata } from './resource-kind.ts';

export interface LeaseObject {
  readonly metadata: ObjectMetadata;
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  /** '' once given back. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** MicroTime. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/**
 * @param observedAt steady ms at which the spec was first seen as it is: the times within are of another's clock
 * @param leaseMs used when the lease names no duration
 * @returns ms for which another holds it yet; 0 when nobody else does
 */
export function heldByOtherMs(
  spec: LeaseSpec | undefined,
  identity: string,
  observedAt: number,
  nowMs: number,
  leaseMs: number,
): number {
  const holder = spec?.holderIdentity ?? '';
  if (holder === '' || holder === identity) return 0;
  const duration = spec?.leaseDurationSeconds === undefined ? leaseMs : spec.leaseDurationSeconds * 1000;
  return Math.max(0, observedAt + duration - nowMs);
}

export function createSpec(former: LeaseSpec | undefined, identity: string, now: Date, leaseMs: number): LeaseSpec {
  const ours = former?.holderIdentity === identity;
  const time = microTime(now);
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: ours ? (former.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: former === undefined ? 0 : (former.leaseTransitions ?? 0) + (ours ? 0 : 1),
  };
}

/** As client-go writes it: no holder, and one second in case someone reads only the duration. */
export function releaseSpec(former: LeaseSpec, now: Date): LeaseSpec {
  const time = microTime(now);
  return { ...former, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
}
