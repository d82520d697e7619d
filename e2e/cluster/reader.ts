/** How somebody learns on a cluster what is wrong: the status, `kubectl describe`, `kubectl drimbox explain`. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import type { Cluster } from '../parts/cluster/single-node.ts';
import type { ConditionSeen } from '../parts/operator.ts';
import { conditionOf, eventually, isCurrent, seen, type ResourceSeen } from './objects.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

export interface Expected {
  /** Of the condition that is False. */
  readonly type: string;
  readonly reason: string;
  /** Names the object, the field and the fault. */
  readonly message: RegExp;
  readonly advice: RegExp;
  readonly stalled: boolean;
}

export interface Reader {
  /** By kubectl's own way to plugins: bin/ on the PATH. */
  readonly explain: (target: string) => Promise<string>;
  /** What status, describe and explain say of a resource (`pacslink/NAME`) while the mistake stands. */
  readonly says: (name: string, expected: Expected) => Promise<void>;
  readonly untilCondition: (name: string, type: string, reason: string) => Promise<ConditionSeen>;
  readonly untilReady: (...names: readonly string[]) => Promise<void>;
}

/** Of the resources of one namespace. */
export function readerOf(cluster: Cluster, namespace: string): Reader {
  const words = ({ status }: ResourceSeen): string => JSON.stringify(status?.conditions, undefined, 1);

  const untilSeen = async (
    name: string,
    what: string,
    holds: (one: ResourceSeen) => boolean,
  ): Promise<ResourceSeen> => {
    let last = await seen(cluster, namespace, name);
    const look = async (): Promise<boolean> => holds((last = await seen(cluster, namespace, name)));
    await eventually(`${name} ${what}`, look).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${words(last)}`);
    });
    return last;
  };

  const untilCondition: Reader['untilCondition'] = async (name, type, reason) => {
    const holds = (one: ResourceSeen): boolean => conditionOf(one, type)?.reason === reason;
    const found = conditionOf(await untilSeen(name, `${type} ${reason}`, holds), type);
    if (found === undefined) throw new Error(`${name} has no ${type}`);
    return found;
  };

  const explain: Reader['explain'] = async (target) => {
    const path = `${root}/bin:${process.env['PATH'] ?? ''}`;
    const env = { ...process.env, KUBECONFIG: cluster.kubeconfigFile, PATH: path };
    const command = join(cluster.binaries, 'kubectl');
    return await run(command, ['drimbox', 'explain', target, '--namespace', namespace], { env }).then(
      ({ stdout }) => stdout,
      // Not ready is exit code 1, with the explanation on standard output
      (error: unknown) => (error as { readonly stdout: string }).stdout,
    );
  };

  return {
    explain,
    untilCondition,
    async untilReady(...names) {
      for (const name of names) {
        const ready = await untilSeen(name, 'ready', isCurrent);
        assert.is(conditionOf(ready, 'Stalled'), undefined);
      }
    },
    async says(name, { type, reason, message, advice, stalled }) {
      const condition = await untilCondition(name, type, reason);
      assert.match(condition.message, message);
      const resource = await seen(cluster, namespace, name);
      assert.is(conditionOf(resource, 'Stalled')?.reason, stalled ? reason : undefined);
      assert.match(await cluster.kubectl('-n', namespace, 'describe', name), new RegExp(`Reason:\\s+${reason}`));
      const explained = await explain(name.replace('drimboxsite', 'site').replace('pacslink', 'link'));
      for (const said of [new RegExp(`${type} is False: ${reason}`), message, advice]) assert.match(explained, said);
    },
  };
}
