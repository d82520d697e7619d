/**
 * `drimbox up --leave-running`: the operator killed, told to stop, started again. What runs goes on, is taken over by the next one,
 * and nothing under way is cut.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createNarrator } from '../demo/narrator.ts';
import { type DemoResult, type DemoWorld, openWorld, runMainJob } from '../demo/scenario.ts';
import { professional } from '../demo/world.ts';
import { type SeriesAnswer, fetchSeries } from '../parts/drimbox-client.ts';
import { type RunningOperator, startOperator, untilReady } from '../parts/operator.ts';
import { download, giveCertificate, rotatedFqdn, serialServed } from './rotation.ts';
import { until } from './site.ts';

const images = 150;
// a short path: Envoy's sockets live below it
const directory = mkdtempSync('/tmp/drimbox-a-');
const narrator = createNarrator(true);
const world: DemoWorld = await openWorld(directory, images, narrator);
const result: DemoResult = await runMainJob(world, narrator, () => undefined);
const scenarios = suite('without the operator');
const state = join(directory, 'state');
let operator: RunningOperator = world.operator;

async function start(leaveRunning: boolean): Promise<RunningOperator> {
  rmSync(join(state, 'status.json'), { force: true }); // what is waited for is the new one's
  operator = await startOperator({
    directory: join(directory, 'resources'),
    state,
    publicPort: world.ports.public,
    logFile: join(directory, 'operator.log'),
    leaveRunning,
  });
  await untilReady(operator, 5, 60_000);
  return operator;
}

/** Name to process id, of gateways and proxy. */
function processes(): Readonly<Record<string, number>> {
  const file = join(state, 'processes.json');
  if (!existsSync(file)) return {};
  const written = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, { readonly pid: number }>>;
  return Object.fromEntries(Object.entries(written).map(([name, { pid }]) => [name, pid]));
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
}

interface SlowDownload {
  readonly answer: Promise<SeriesAnswer>;
  readonly parts: () => number;
  readonly hurry: () => void;
}

/** Reads so slowly that it lasts until it is told to hurry: for half a minute and more. */
async function slowDownload(): Promise<SlowDownload> {
  const certificate = world.sites[1]?.spec.links[0]?.db.certificate;
  if (certificate === undefined) throw new Error('the remote DRIMbox has a certificate');
  let parts = 0;
  let slow = true;
  const answer = fetchSeries({
    url: result.artefacts.retrieveUrl,
    connectTo: { host: '127.0.0.1', port: world.ports.public },
    certificateFile: certificate.certificateFile,
    keyFile: certificate.keyFile,
    caFile: world.services.pki.bundleFile,
    token: await world.services.psc.tokenFor(professional.id, 'viewer-demo'),
    kosSopInstanceUid: result.kos.sopInstanceUid,
    pace: () => (slow ? (parts < images / 2 ? 40 : 200) : 0),
    onPart: () => (parts += 1),
  });
  answer.catch(() => undefined); // whoever waits for it sees it
  await until('the download is under way', () => parts > 0);
  return { answer, parts: () => parts, hurry: () => (slow = false) };
}

scenarios.before(async () => {
  await world.operator.stop();
  await start(true);
});

scenarios.after(async () => {
  await operator.stop();
  // In a group of their own: what a failed test left is ended here.
  for (const pid of Object.values(processes())) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await world.stop();
  rmSync(directory, { recursive: true, force: true });
});

scenarios(
  'the operator killed while a series is under way: new ones pass, the next operator takes over what runs',
  async () => {
    const before = processes();
    assert.equal(Object.keys(before).length, 3, 'two gateways and a proxy');
    const slow = await slowDownload();
    operator.kill('SIGKILL');
    await operator.ended;
    assert.is((await download(world, result)).parts.length, images);
    await start(true);
    assert.equal(processes(), before, 'the same processes');
    assert.ok(slow.parts() < images, 'it lasted longer than the operator was away');
    slow.hurry();
    const answer = await slow.answer;
    assert.is(answer.status, 200);
    assert.is(slow.parts(), images);
    const { pki } = world.services;
    const issued = await pki.issue({ commonName: rotatedFqdn, organizationalUnit: '1750000001', kind: 'SERV_SSL' });
    giveCertificate(world, issued);
    await until('the new certificate', async () => (await serialServed(world)) === issued.certificate.serialNumber);
    assert.is((await download(world, result)).parts.length, images);
  },
);

scenarios('told to stop, it alone stops; the next one takes over', async () => {
  const before = processes();
  await operator.stop();
  assert.ok(Object.values(before).every(isAlive));
  assert.is((await download(world, result)).parts.length, images);
  await start(true);
  assert.equal(processes(), before);
});

scenarios(
  'a proxy and a gateway that end without the operator stay ended until it is back: nothing stale is served',
  async () => {
    const before = processes();
    operator.kill('SIGKILL');
    await operator.ended;
    const [proxy, gateway] = [before['envoy'], Object.entries(before).find(([name]) => name !== 'envoy')?.[1]];
    if (proxy === undefined || gateway === undefined) throw new Error('a proxy and gateways run');
    process.kill(proxy, 'SIGKILL');
    process.kill(gateway, 'SIGKILL');
    await until('both gone', () => !isAlive(proxy) && !isAlive(gateway));
    // The kernel closes the listening socket a moment after the process is gone; what it took meanwhile is reset.
    const refusal = async (): Promise<string | undefined> =>
      await download(world, result).then(String, (error: unknown) => (error as { code?: string }).code);
    const first = await refusal();
    assert.ok(first === 'ECONNREFUSED' || first === 'ECONNRESET', first);
    assert.is(await refusal(), 'ECONNREFUSED');
    await start(true);
    const after = processes();
    assert.equal(Object.keys(after), Object.keys(before));
    assert.is(Object.values(after).filter((pid) => Object.values(before).includes(pid)).length, 1, 'the other gateway');
    assert.is((await download(world, result)).parts.length, images);
  },
);

scenarios('an operator that leaves nothing running takes over too, and ends everything with itself', async () => {
  const before = processes();
  await operator.stop();
  await start(false);
  assert.equal(processes(), before);
  await operator.stop();
  assert.ok(Object.values(before).every((pid) => !isAlive(pid)));
});

scenarios.run();
