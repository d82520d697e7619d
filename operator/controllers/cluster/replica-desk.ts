/** Tells the other replicas what the proxies of this one say, and hears what theirs say. */
import type { Log } from '../../../common/observability/log.ts';
import type { Observations } from '../../plan/observations.ts';
import type { Applier } from '../../resources/kubernetes/apply.ts';
import { ConfigMap } from '../../resources/kubernetes/resource-kind.ts';
import type { ProxyControl } from './proxy-control.ts';
import { type ReplicaPod, combined, readReport, reportName, reportObject, reportOf } from './replica-reports.ts';
import type { Watches } from './watches.ts';

export interface ReplicaDesk {
  /** What all proxies of all replicas say together. */
  observe(): Observations['ingress'];
  /** Something may be new: it is written soon, when it is. */
  tell(): void;
  /** That replica is gone: what it told last is of no proxy any more. */
  forget(other: string): void;
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
  /** Reports that count no more, also while they are still there. One with the same name that comes later is another. */
  const ofTheGone = new WeakSet<object>();
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
  const removeReport = async (of: string): Promise<void> => {
    try {
      await applier.remove(ConfigMap, `${namespace}/${reportName(of)}`);
    } catch (error) {
      // The API server is away: the report goes with its pod.
      const words = error instanceof Error ? error.message : String(error);
      log.write('warn', 'the report of a replica remains', { replica: of, error: words });
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
        digest: control.digest(),
        connected: control.proxies().connected,
        observed: control.observe(),
      };
      const reports = watches.replicas.store.list().filter((object) => !ofTheGone.has(object));
      return combined(
        own,
        reports.flatMap((object) => readReport(object) ?? []),
      );
    },
    tell: () => later(quietMs),
    forget(other) {
      const told = watches.replicas.store.get(`${namespace}/${reportName(other)}`);
      if (told !== undefined) ofTheGone.add(told);
      writing = writing.then(async () => await removeReport(other));
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await writing;
      await removeReport(instance);
    },
  };
}
