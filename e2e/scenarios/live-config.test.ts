/** A gateway follows its configuration: what can be exchanged is, a bad one is refused and said, a moved listener is a restart. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GatewayConfig } from '../../common/contract/gateway-config.ts';
import { freePort } from '../parts/ports.ts';
import { reportMessage } from '../parts/reports.ts';
import { sendMllp } from '../parts/ris.ts';
import { openSite, until } from './site.ts';

const site = await openSite('live');
const { gateway } = site;
let part = await gateway.start();
test.after(async () => {
  await part.stop();
  await site.close();
});

function write(change: (config: GatewayConfig) => unknown): void {
  const config = JSON.parse(readFileSync(gateway.configFile, 'utf8')) as GatewayConfig;
  writeFileSync(`${gateway.configFile}.new`, JSON.stringify(change(config)));
  renameSync(`${gateway.configFile}.new`, gateway.configFile);
}

const inForce = async (revision: string): Promise<boolean> => (await gateway.status()).revision === revision;
const reachable = async (): Promise<string | undefined> => (await gateway.status()).pacs[0]?.conditions[0]?.status;

test('address and port of a PACS are changed live, and back', async () => {
  const wrong = await freePort();
  write((config) => ({ ...config, revision: 'moved', pacs: config.pacs.map((pacs) => ({ ...pacs, port: wrong })) }));
  await until('the new port in force', () => inForce('moved'));
  await until('the PACS not reachable there', async () => (await reachable()) === 'False');
  write((config) => ({
    ...config,
    revision: 'back',
    pacs: config.pacs.map((pacs) => ({ ...pacs, port: site.orthanc.dicomPort })),
  }));
  await until('the PACS reachable again', async () => (await inForce('back')) && (await reachable()) === 'True');
});

test('a bad configuration is refused with the path of its fault; the one in force goes on', async () => {
  write((config) => ({ ...config, revision: 'bad', pacs: config.pacs.map((pacs) => ({ ...pacs, port: 'high' })) }));
  await until('the refusal', async () => (await gateway.status()).refusedConfig !== undefined);
  const { refusedConfig, revision } = await gateway.status();
  assert.equal([refusedConfig?.revision, refusedConfig?.path, revision], ['bad', '/pacs/0/port', 'back']);
  assert.match(await gateway.page('/metrics'), /drimbox_config_refused\{?.*\}? ?1/);
  const study = '2.25.660001';
  await site.putStudy(study);
  const ack = await sendMllp('127.0.0.1', gateway.config.listeners.mllp.port, reportMessage(site.report(study)));
  assert.match(ack.toString(), 'MSA|AA');
  await until('the KOS', () => site.kosOf(study).length === 1);
});

test('a new RIS is known at once', async () => {
  write((config) => ({
    ...config,
    revision: 'ris',
    pacs: config.pacs.map((pacs) => ({ ...pacs, port: site.orthanc.dicomPort })),
    ris: [...config.ris, { name: 'second', sendingApplication: 'RIS_SECOND', pacs: ['pacs'] }],
  }));
  await until('the new RIS in force', () => inForce('ris'));
  const spec = site.report('2.25.660002', { sendingApplication: 'RIS_SECOND' });
  const ack = await sendMllp('127.0.0.1', gateway.config.listeners.mllp.port, reportMessage(spec));
  assert.match(ack.toString(), 'MSA|AA');
});

test('a listener that moves ends the gateway with 75, for whoever starts it again', async () => {
  const port = await freePort();
  write((config) => ({
    ...config,
    revision: 'moved-listener',
    listeners: { ...config.listeners, mllp: { ...config.listeners.mllp, port } },
  }));
  assert.is(await part.ended, '75');
  part = await gateway.start();
  const ack = await sendMllp('127.0.0.1', port, reportMessage(site.report('2.25.660003')));
  assert.match(ack.toString(), 'MSA|AA');
});

test.run();
