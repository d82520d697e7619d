/**
 * Two gateways of one site on one PostgreSQL, real processes: reports come to both, one publishes, each study once; the one that
 * publishes is killed, the database is killed, and nothing acknowledged is lost.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GatewayConfig } from '../../common/contract/gateway-config.ts';
import type { GatewayStatus } from '../../common/contract/gateway-status.ts';
import { fetchSeries, losslessAccept } from '../parts/drimbox-client.ts';
import type { GatewayPart } from '../parts/gateway.ts';
import type { Part } from '../parts/process.ts';
import { reportMessage } from '../parts/reports.ts';
import { sendMllp } from '../parts/ris.ts';
import type { GeneratedStudy } from '../parts/studies.ts';
import { archiveDatabase, openSite, professionalId, until, wadoFqdn } from './site.ts';

const site = await openSite('two', 2);
const { gateways, postgres } = site;
if (postgres === undefined) throw new Error('two gateways share a database');
const parts = new Map<GatewayPart, Part>();
const seriesOf = new Map<string, GeneratedStudy>();

test.after(async () => {
  for (const part of parts.values()) await part.stop();
  await site.close();
});

async function start(gateway: GatewayPart): Promise<void> {
  parts.set(gateway, await gateway.start());
}

/** As when a node is drained. */
async function endInOrder(gateway: GatewayPart): Promise<void> {
  const part = parts.get(gateway);
  part?.kill('SIGTERM');
  assert.is(await part?.ended, '0');
  parts.delete(gateway);
}

async function kill(gateway: GatewayPart): Promise<void> {
  const part = parts.get(gateway);
  part?.kill('SIGKILL');
  await part?.ended;
  parts.delete(gateway);
}

const conditionOf = ({ conditions }: GatewayStatus, type: string) => conditions.find((one) => one.type === type);
const publishes = async (gateway: GatewayPart): Promise<boolean> =>
  (await gateway.page('/metrics')).includes('\ndrimbox_publication_duty 1');
const ready = async (gateway: GatewayPart): Promise<boolean> => (await gateway.status()).ready;

/** The one on duty first. */
async function inOrderOfDuty(): Promise<readonly [GatewayPart, GatewayPart]> {
  const [a, b] = gateways;
  if (a === undefined || b === undefined) throw new Error('there are two');
  await until('one of the two publishes', async () => (await publishes(a)) !== (await publishes(b)));
  return (await publishes(a)) ? [a, b] : [b, a];
}

async function newStudies(from: number, count: number): Promise<readonly string[]> {
  const uids = Array.from({ length: count }, (_, n) => `2.25.880${String(from + n).padStart(4, '0')}1`);
  for (const uid of uids) seriesOf.set(uid, await site.putStudy(uid));
  return uids;
}

const acknowledgement = async (gateway: GatewayPart, uid: string): Promise<string> => {
  const message = reportMessage(site.report(uid));
  const answer = await sendMllp('127.0.0.1', gateway.config.listeners.mllp.port, message);
  return /MSA\|(\w+)/.exec(answer.toString())?.[1] ?? '';
};

/** As a RIS whose messages any gateway takes: to the next one until one acknowledges. */
async function deliver(uid: string, order: readonly GatewayPart[]): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const gateway = order[tries % order.length];
    try {
      if (gateway !== undefined && (await acknowledgement(gateway, uid)) === 'AA') return;
    } catch {
      // killed while it was asked: the RIS got no answer, and sends again
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody acknowledges the report of ${uid}`);
}

async function publishedOnce(uids: readonly string[]): Promise<void> {
  await until('every KOS is in the DMP', () => uids.every((uid) => site.kosOf(uid).length > 0), 60_000);
  await until('no job is open', async () => (await open()) === '0');
  for (const uid of uids) {
    const entries = site.kosOf(uid);
    assert.is(entries.length, 1, `${uid}: ${entries.length} KOS`);
    assert.is(entries[0]?.status, 'approved');
    const submissions = site.dmp.submissions().filter((one) => one.entries.includes(entries[0]?.entryUuid ?? ''));
    assert.is(submissions.length, 1, `${uid}: ${submissions.length} submissions`);
  }
}

const sql = async (statement: string): Promise<string> => (await postgres?.sql(statement, archiveDatabase)) ?? '';
const open = async (): Promise<string> => await sql(`SELECT count(*) FROM jobs WHERE state IN ('queued', 'built')`);

const refusedInAudit = async (): Promise<number> =>
  Number(await sql(`SELECT count(*) FROM audit WHERE event = 'RetrieveRefused'`));

/** Traces that wait for the database in that gateway's directory. */
function tracesOnDisk({ config }: GatewayPart): number {
  const file = join(
    config.storage.directory,
    `traces-waiting-${gateways.findIndex((one) => one.config === config)}.jsonl`,
  );
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{')).length
    : 0;
}

/** A series by WADO-RS from that gateway, as a listed DRIMbox asks for it. */
async function fetched(gateway: GatewayPart, uid: string, seriesUid: string): ReturnType<typeof fetchSeries> {
  return await fetchSeries({
    url: `https://${wadoFqdn}/dicom-web-rs/studies/${uid}/series/${seriesUid}`,
    connectTo: gateway.config.listeners.wado,
    certificateFile: site.caller.certificateFile,
    keyFile: site.caller.keyFile,
    caFile: site.pki.bundleFile,
    token: await site.psc.tokenFor(professionalId, 'psc-client'),
    kosSopInstanceUid: site.kosOf(uid)[0]?.uniqueId ?? '',
    accept: losslessAccept,
  });
}

test('both start at once on an empty database; one publishes, and both are ready', async () => {
  await Promise.all(gateways.map(start));
  for (const gateway of gateways) await until('ready', () => ready(gateway));
  const [onDuty, other] = await inOrderOfDuty();
  assert.is(conditionOf(await onDuty.status(), 'Publishing')?.reason, 'Idle');
  assert.is(conditionOf(await other.status(), 'Publishing')?.reason, 'OtherGateway');
  assert.is(conditionOf(await other.status(), 'ArchiveReady')?.status, 'True');
});

test('thirty reports, to one and the other in turn: each study is published once', async () => {
  const uids = await newStudies(0, 30);
  await Promise.all(uids.map((uid, n) => deliver(uid, n % 2 === 0 ? gateways : gateways.toReversed())));
  await publishedOnce(uids);
  assert.is(await sql(`SELECT count(*) FROM audit WHERE event = 'ReportUnderstood'`), '30');
  assert.is(await sql(`SELECT count(*) FROM audit WHERE event = 'KosPublished'`), '30');
});

test('images are had from both, each by AE titles of its own', async () => {
  const [uid] = seriesOf.keys();
  const study = uid === undefined ? undefined : seriesOf.get(uid);
  if (uid === undefined || study === undefined) throw new Error('there is a study with an image');
  for (const [index, gateway] of gateways.entries()) {
    const answer = await fetched(gateway, uid, study.seriesUid);
    assert.is(answer.status, 200, `${index}: ${answer.body}`);
    assert.is(answer.parts.length, study.instances.length);
  }
});

test('the one that publishes is killed in the middle: the other takes over, each study is published once', async () => {
  const [onDuty, other] = await inOrderOfDuty();
  const uids = await newStudies(100, 20);
  const deliveries = Promise.all(uids.map((uid) => deliver(uid, [onDuty, other])));
  await until('some of them are published', () => uids.filter((uid) => site.kosOf(uid).length > 0).length >= 3);
  await kill(onDuty);
  await until('the other publishes', () => publishes(other));
  await deliveries;
  await publishedOnce(uids);
  await start(onDuty);
  await until('ready again', () => ready(onDuty));
  assert.not(await publishes(onDuty), 'duty stays where it went');
});

test('the one that publishes is asked to end while reports come: the other goes on', async () => {
  const [onDuty, other] = await inOrderOfDuty();
  const uids = await newStudies(150, 6);
  const deliveries = Promise.all(uids.map((uid, n) => deliver(uid, n % 2 === 0 ? [onDuty, other] : [other])));
  await endInOrder(onDuty);
  await until('the other publishes', () => publishes(other));
  await deliveries;
  await publishedOnce(uids);
  await start(onDuty);
  await until('ready again', () => ready(onDuty));
});

test('the one that publishes freezes: the other takes over; when it wakes it ends nothing twice', async () => {
  const [onDuty, other] = await inOrderOfDuty();
  const uids = await newStudies(300, 10);
  const deliveries = Promise.all(uids.map((uid) => deliver(uid, [other])));
  await until('one of them is published', () => uids.some((uid) => site.kosOf(uid).length > 0));
  const frozen = parts.get(onDuty);
  frozen?.kill('SIGSTOP');
  await deliveries;
  await until('the other publishes', () => publishes(other), 60_000);
  await publishedOnce(uids);
  frozen?.kill('SIGCONT');
  await until('it knows that it no longer publishes', async () => !(await publishes(onDuty)));
  await publishedOnce(uids);
});

test('another password is taken by both at work, and nothing restarts', async () => {
  const before = gateways.map((gateway) => parts.get(gateway)?.pid);
  const passwordFile = join(site.directory, 'database-password-2');
  writeFileSync(passwordFile, 'of tomorrow');
  await postgres?.sql(`ALTER ROLE gateway PASSWORD 'of tomorrow'`);
  for (const { configFile } of gateways) {
    const config = JSON.parse(readFileSync(configFile, 'utf8')) as GatewayConfig;
    const next = { ...config.storage.postgres, passwordFile };
    const text = JSON.stringify({ ...config, revision: 'rotated', storage: { ...config.storage, postgres: next } });
    writeFileSync(`${configFile}.new`, text);
    renameSync(`${configFile}.new`, configFile);
  }
  for (const gateway of gateways)
    await until('the revision in force', async () => (await gateway.status()).revision === 'rotated');
  // whoever is connected has to come again
  await postgres?.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway'`);
  const uids = await newStudies(400, 4);
  for (const [n, uid] of uids.entries()) await deliver(uid, n % 2 === 0 ? gateways : gateways.toReversed());
  await publishedOnce(uids);
  assert.equal(
    gateways.map((gateway) => parts.get(gateway)?.pid),
    before,
  );
});

test('the database is killed: AE and 503, the gateways live and say so; all goes on when it is back', async () => {
  const [uid = ''] = seriesOf.keys();
  const [late = ''] = await newStudies(200, 1);
  await postgres?.kill();
  for (const gateway of gateways) {
    await until('it says so', async () => conditionOf(await gateway.status(), 'ArchiveReady')?.status === 'False');
    const status = await gateway.status();
    assert.is(conditionOf(status, 'ArchiveReady')?.reason, 'ConnectionRefused');
    assert.not(status.ready);
    assert.match(await gateway.page('/livez'), 'UP');
    assert.match(await gateway.page('/readyz'), 'DOWN');
    assert.is(await acknowledgement(gateway, late), 'AE');
    const answer = await fetched(gateway, uid, `${uid}.1`);
    assert.is(answer.status, 503);
  }
  await postgres?.startAgain();
  for (const gateway of gateways) await until('ready again', () => ready(gateway));
  await deliver(late, gateways);
  await publishedOnce([late]);
  await until('what was refused meanwhile is in the audit', async () => (await refusedInAudit()) === 2);
});

test('a gateway that starts while the database is away lives, is not ready, and is when it is back', async () => {
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error('there are two');
  await kill(gateway);
  await postgres?.kill();
  await start(gateway);
  assert.not(await ready(gateway));
  const status = await gateway.status();
  assert.is(conditionOf(status, 'ArchiveReady')?.reason, 'ConnectionRefused');
  const before = 2;
  const refuse = async (): Promise<void> => {
    const [uid = ''] = seriesOf.keys();
    assert.is((await fetched(gateway, uid, `${uid}.1`)).status, 503);
  };
  await refuse();
  await until('its trace is on disk', () => tracesOnDisk(gateway) === 1);
  // killed meanwhile, and asked to end meanwhile: what it did is told by the next one
  await kill(gateway);
  await start(gateway);
  await refuse();
  await endInOrder(gateway);
  assert.is(tracesOnDisk(gateway), 2);
  await start(gateway);
  await postgres?.startAgain();
  await until('ready', () => ready(gateway));
  await until('both are in the audit', async () => (await refusedInAudit()) === before + 2);
  await until('and nowhere else', () => tracesOnDisk(gateway) === 0);
});

test.run();
