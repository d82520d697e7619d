/** Tells the other replicas what the proxies of this one say, and hears what theirs say. */
import type { Log } from '../../../common/observability/log.ts';
import type { Observations } from '../../plan/observations.ts';
import type { Applier } from '../../resources/kubernetes/apply.ts';
import { ConfigMap } from '../../resources/kubernetes/resource-kind.ts';
import type { ProxyControl } from './proxy-control.ts';
import { type ReplicaPod, combined, readReport, reportObject, reportOf } from './replica-reports.ts';
import type { Watches } from './watches.ts';

export interface ReplicaDesk {
  /** What all proxies of all replicas say together. */
  observe(): Observations['ingress'];
  /** Something may be new: it is written soon, when it is. */
  tell(): void;
  /** Takes the own report away. */
  stop(): Promise<void>;
}

export interface ReplicaDeskOptions {
  readonly applier: Applier;
  readonly namespace: string;
  readonly instance: string;
  /** Whose end takes the report away, when this is a pod. */
  readonly pod: ReplicaPod | undefined;
  readonly watches: Watches;
  readonly control: ProxyControl;
  readonly log: Log;
}

/** Acknowledgements come in bursts. */
const quietMs = 300;
const retryMs = 5_000;

export function replicaDesk(options: ReplicaDeskOptions): ReplicaDesk {
  const { applier, namespace, instance, watches, control, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let stopped = false;

  const write = async (): Promise<void> => {
    const report = reportOf(instance, control.digest(), control.proxies().connected, control.observe());
    try {
      const outcome = await applier.apply(ConfigMap, reportObject(namespace, report, options.pod));
      if ('message' in outcome) throw new Error(outcome.message);
    } catch (error) {
      log.write('warn', 'what the proxies say could not be told to the other replicas', {
        error: error instanceof Error ? error.message : String(error),
      });
      later(retryMs);
    }
  };
  const later = (delayMs: number): void => {
    if (stopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      writing = writing.then(write);
    }, delayMs);
  };
  return {
    observe() {
      const own = {
        instance,
        plan: control.digest(),
        connected: control.proxies().connected,
        observed: control.observe(),
      };
      return combined(
        own,
        watches.replicas.store.list().flatMap((object) => readReport(object) ?? []),
      );
    },
    tell: () => later(quietMs),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await writing;
      const { name } = reportObject(namespace, reportOf(instance, '', 0, new Map()), undefined).metadata;
      try {
        await applier.remove(ConfigMap, `${namespace}/${name}`);
      } catch (error) {
        // The API server is away: the report goes with the pod, and says nothing once no proxy is connected here.
        log.write('warn', 'the own report remains', { error: error instanceof Error ? error.message : String(error) });
      }
    },
  };
}
