/** What happens to the operators, while a partner downloads 600 images at a crawl: nothing of it may be noticed. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { eventually, identityOf, leaderOf, objectsIn, programPods, untilPods } from '../cluster/objects.ts';
import { openRehearsal } from '../cluster/rehearsal.ts';
import { fetchWhole, handshakes, publishAnother } from '../cluster/traffic.ts';
import { fqdnOf, namespace } from '../demo/world.ts';
import { asked } from '../parts/cluster/api.ts';

const { stage, exam, system, current, during, run } = await openRehearsal('operators');
const { cluster } = stage;
const gatewayConfig = async (): Promise<string> => {
  const path = `/api/v1/namespaces/${namespace}/configmaps/drimbox-nord`;
  const { data } = await asked<{ data: Readonly<Record<string, string>> }>(cluster, path);
  return Object.values(data).join('\n');
};
/** A change that gateways follow without a restart. */
async function exclude(root: string): Promise<void> {
  const patch = JSON.stringify({ spec: { excludedSopInstanceRoots: [root] } });
  await cluster.kubectl('-n', namespace, 'patch', 'pacslink', 'pacs-nord', '--type=merge', '-p', patch);
}
/** In the gateway's configuration, and the operator says that all is well with it. */
async function untilExcluded(root: string): Promise<void> {
  await eventually(
    `the change (${root}) in force`,
    async () => (await gatewayConfig()).includes(`"${root}"`) && (await current('pacslink/pacs-nord')),
  );
}
async function objectsOfSite(): Promise<readonly string[]> {
  const kinds = ['statefulset', 'service', 'configmap', 'secret', 'networkpolicy', 'persistentvolumeclaim'] as const;
  return await objectsIn(cluster, namespace, kinds);
}
during('without any operator downloads, new connections and reports go on; its return restarts nothing', async () => {
  const before = await identityOf(cluster, 'gateway', 'ingress');
  await system('scale', 'deployment', 'drimbox-operator', '--replicas=0');
  await untilPods(cluster, 'operator', 0);
  await fetchWhole(stage, exam);
  await fetchWhole(stage, await publishAnother(stage));
  await exclude('2.999.1');
  await system('scale', 'deployment', 'drimbox-operator', '--replicas=2');
  await untilPods(cluster, 'operator', 2);
  await untilExcluded('2.999.1');
  await fetchWhole(stage, exam);
  assert.equal(await identityOf(cluster, 'gateway', 'ingress'), before);
});

during('the leader killed in the middle of a change: the other leads, the change lands once', async () => {
  const before = await objectsOfSite();
  const leader = await leaderOf(cluster);
  await exclude('2.999.2');
  await system('delete', 'pod', leader, '--force', '--grace-period=0');
  await eventually('another one leads', async () => ![leader, ''].includes(await leaderOf(cluster)));
  await untilExcluded('2.999.2');
  assert.equal(await objectsOfSite(), before);
  await untilPods(cluster, 'operator', 2);
});

during('pods cut off from the API server for 40 s: traffic goes on, what was missed is made up for', async () => {
  const before = await identityOf(cluster, 'gateway', 'ingress');
  const operators = await programPods(cluster, 'operator');
  const cut = ['INPUT', '-s', '10.244.0.0/16', '-p', 'tcp', '--dport', '6443', '-j', 'DROP'];
  await cluster.inNetwork('iptables', '-I', ...cut);
  try {
    await exclude('2.999.3');
    await fetchWhole(stage, await publishAnother(stage));
    await sleep(40_000);
    await fetchWhole(stage, exam);
  } finally {
    await cluster.inNetwork('iptables', '-D', ...cut);
  }
  await untilExcluded('2.999.3');
  await untilPods(cluster, 'operator', 2);
  assert.equal(await identityOf(cluster, 'gateway', 'ingress'), before);
  for (const { name, restarts } of await programPods(cluster, 'operator')) {
    const former = operators.find((one) => one.name === name)?.restarts ?? 0;
    assert.ok(restarts - former <= 1, `${name} restarted ${restarts - former} times`);
  }
});

const authorities = readFileSync(stage.services.pki.bundleFile, 'utf8');

during('a certificate replaced: the new one is shown, no connection fails meanwhile', async () => {
  const fqdn = fqdnOf('db', 'nord');
  const organizationalUnit = stage.sites[0]?.spec.structure.id ?? '';
  const issued = await stage.services.pki.issue({ commonName: fqdn, organizationalUnit, kind: 'SERV_SSL' });
  const shaking = handshakes(stage, fqdn, authorities);
  try {
    await eventually('handshakes', () => shaking.done() > 0);
    const files = [`--cert=${issued.certificateFile}`, `--key=${issued.keyFile}`];
    const made = await cluster.kubectl(
      ...['-n', namespace, 'create', 'secret', 'tls', 'pacs-nord-db', '--dry-run=client', '-o', 'yaml'].concat(files),
    );
    await cluster.kubectlWith(made, 'apply', '--server-side', '--force-conflicts', '-f', '-');
    await eventually('the new certificate', () => shaking.serials.has(issued.certificate.serialNumber.toLowerCase()));
    await fetchWhole(stage, exam);
  } finally {
    await shaking.stop();
  }
  assert.equal(shaking.failures, []);
  assert.is(shaking.serials.size, 2);
});

run();
