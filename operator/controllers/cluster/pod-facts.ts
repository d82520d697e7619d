/** What counts of a gateway's pod, and what it means. Pure. */
import type { GatewayObservation } from '../../plan/observations.ts';
import type { GatewayStatus } from '../../../common/contract/gateway-status.ts';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';

interface ContainerState {
  readonly running?: object;
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly message?: string };
}

interface PodStatus {
  readonly podIP?: string;
  readonly phase?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  readonly containerStatuses?: readonly {
    readonly restartCount: number;
    readonly ready: boolean;
    readonly state?: ContainerState;
    readonly lastState?: ContainerState;
  }[];
}

/** A pod, cut down to this. */
export interface GatewayPodFacts extends KubeObject {
  readonly status?: PodStatus;
}

/** What is kept of a pod as the API server sends it. */
export function podFacts({ apiVersion, kind, metadata, status }: GatewayPodFacts): GatewayPodFacts {
  return {
    apiVersion,
    kind,
    metadata,
    status: {
      ...(status?.podIP !== undefined && { podIP: status.podIP }),
      ...(status?.phase !== undefined && { phase: status.phase }),
      conditions:
        status?.conditions?.filter(({ type, status: value }) => value !== 'True' && type === 'PodScheduled') ?? [],
      containerStatuses: (status?.containerStatuses ?? []).map(({ restartCount, ready, state, lastState }) => ({
        restartCount,
        ready,
        ...(state !== undefined && { state }),
        ...(lastState !== undefined && { lastState }),
      })),
    },
  };
}

/** Waiting for these is on the way to running; any other reason stands in the way. */
const onTheWay = new Set(['ContainerCreating', 'PodInitializing', undefined]);

/** @returns undefined while there is no pod, or it is on its way */
export function observePod(
  pod: GatewayPodFacts | undefined,
  status: GatewayStatus | undefined,
): GatewayObservation | undefined {
  const [container] = pod?.status?.containerStatuses ?? [];
  const restarts = container?.restartCount ?? 0;
  const unscheduled = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (unscheduled !== undefined) {
    const { reason = 'Unschedulable', message = 'no node takes it' } = unscheduled;
    return { running: false, restarts, waiting: { reason, message } };
  }
  if (container?.state?.running !== undefined)
    return { running: true, restarts, ...(status !== undefined && { status }) };
  return container === undefined ? undefined : halted(container, restarts);
}

type Container = NonNullable<PodStatus['containerStatuses']>[number];

function halted({ state, lastState }: Container, restarts: number): GatewayObservation | undefined {
  const ended = state?.terminated ?? lastState?.terminated;
  if (ended !== undefined) {
    const { exitCode = '?', message, reason } = ended;
    return { running: false, restarts, lastEnd: `${exitCode}: ${lastLine(message ?? reason ?? '')}` };
  }
  const waiting = state?.waiting;
  if (waiting === undefined || onTheWay.has(waiting.reason)) return undefined;
  const { reason = 'Waiting', message = 'the node does not say why' } = waiting;
  return { running: false, restarts, waiting: { reason, message } };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 500) ?? '';
}
