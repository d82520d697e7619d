/** Leader election on a Lease (coordination.k8s.io/v1), after client-go's leaderelection. */
import type { KubeClient } from './client.ts';

export interface ElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Who we are; unique per process (pod name and a random part). */
  readonly identity: string;
  readonly onGained: () => void;
  /** The process must end: another may lead from now on. Not called by stop(). */
  readonly onLost: (reason: string) => void;
  readonly onError?: (error: unknown) => void;
  /** 15 s: others wait this long after the last renewal they saw. */
  readonly leaseMs?: number;
  /** 10 s: without a renewal for this long, leadership is given up. */
  readonly renewDeadlineMs?: number;
  /** 2 s, jittered: between attempts. */
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

export declare function startElection(options: ElectionOptions): Election;
