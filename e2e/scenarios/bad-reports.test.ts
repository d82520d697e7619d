/** What reaches a site and is not as it should be: each with its answer and its code, nothing lost, the next report works. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reportMessage, type ReportSpec } from '../parts/reports.ts';
import { connectRis, sendMllp } from '../parts/ris.ts';
import { openSite, type Site, until } from './site.ts';

const site: Site = await openSite('bad');
const part = await site.gateway.start();
const port = site.gateway.config.listeners.mllp.port;
let next = 0;
const newStudy = (): string => `2.25.4400${String(++next).padStart(4, '0')}`;

test.after(async () => {
  await part.stop();
  await site.close();
});

async function send(spec: ReportSpec): Promise<{ code: string; ack: string }> {
  const ack = (await sendMllp('127.0.0.1', port, reportMessage(spec))).toString();
  return { code: /\rMSA\|(\w+)/.exec(ack)?.[1] ?? '', ack };
}

/** The event of this message or study, once it is journalled. */
async function event(
  name: string,
  matches: (line: Readonly<Record<string, unknown>>) => boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const find = () => site.journal().find((line) => line['event'] === name && matches(line));
  await until(`${name} in the journal`, () => find() !== undefined);
  return find() ?? {};
}

/** After each trouble the site still works. */
async function assertWorks(): Promise<void> {
  const study = newStudy();
  await site.putStudy(study);
  assert.is((await send(site.report(study))).code, 'AA');
  await until(`the KOS of ${study}`, () => site.kosOf(study).length === 1);
}

test('unknown RIS: AR naming MSH-3, journalled', async () => {
  const spec = site.report(newStudy(), { sendingApplication: 'NOT_OURS' });
  const { code, ack } = await send(spec);
  assert.is(code, 'AR');
  assert.match(ack, 'ERR|');
  await event('MessageRefused', (line) => line['controlId'] === spec.controlId && line['field'] === 'MSH-3');
  await assertWorks();
});

for (const [datum, field] of [
  ['ins', /INS|recordTarget|PID-3/],
  ['studyInstanceUid', /StudyInstanceUID|serviceEvent/],
] as const) {
  test(`no ${datum}: acknowledged, E005 naming the field, no KOS`, async () => {
    const study = newStudy();
    await site.putStudy(study);
    const spec = site.report(study, { without: [datum] });
    assert.is((await send(spec)).code, 'AA');
    const line = await event('ReportIncomplete', (found) => found['controlId'] === spec.controlId);
    assert.is(line['code'], 'E005');
    assert.match(JSON.stringify(line['fields']), field);
    assert.is(site.kosOf(study).length, 0);
    await assertWorks();
  });
}

for (const variant of ['notBase64', 'notXml'] as const) {
  test(`${variant}: refused with AE naming OBX-5`, async () => {
    const spec = site.report(newStudy(), { variant });
    const { code, ack } = await send(spec);
    assert.is(code, 'AE');
    assert.match(ack, 'OBX');
    await event('MessageRefused', (line) => line['controlId'] === spec.controlId);
    await assertWorks();
  });
}

test('DESTDMP=N: acknowledged, nothing published, the PACS is not asked', async () => {
  const study = newStudy();
  await site.putStudy(study);
  assert.is((await send(site.report(study, { variant: 'notForDmp' }))).code, 'AA');
  const line = await event('PublicationDecided', (found) => found['study'] === study);
  assert.is(line['decision'], 'declined');
  assert.is(site.kosOf(study).length, 0);
  assert.not.ok(site.journal().some((found) => found['event'] === 'PacsQueried' && found['study'] === study));
});

test('study absent from the PACS: E004, nothing published', async () => {
  const study = newStudy();
  assert.is((await send(site.report(study))).code, 'AA');
  const line = await event('PublicationFailed', (found) => found['study'] === study);
  assert.is(line['code'], 'E004');
  assert.is(site.kosOf(study).length, 0);
});

test('PACS down: the job waits with E003; PACS back: published by itself', async () => {
  const study = newStudy();
  await site.putStudy(study);
  site.orthanc.part.kill('SIGSTOP');
  try {
    assert.is((await send(site.report(study))).code, 'AA');
    const line = await event('PublicationWaiting', (found) => found['study'] === study);
    assert.is(line['code'], 'E003');
    assert.is(site.kosOf(study).length, 0);
  } finally {
    site.orthanc.part.kill('SIGCONT');
  }
  await until('publication after the PACS came back', () => site.kosOf(study).length === 1);
  await assertWorks();
});

test('DMP down: the job waits; DMP back: published once, by itself', async () => {
  const study = newStudy();
  await site.putStudy(study);
  await site.dmp.pause();
  assert.is((await send(site.report(study))).code, 'AA');
  await event('PublicationWaiting', (found) => found['study'] === study);
  assert.is(site.kosOf(study).length, 0);
  await site.dmp.resume();
  await until('publication after the DMP came back', () => site.kosOf(study).length === 1);
  await assertWorks();
});

test('the DMP registers and cuts the connection: one KOS all the same', async () => {
  const study = newStudy();
  await site.putStudy(study);
  site.dmp.setFault({ kind: 'drop-after', times: 1, operation: 'ITI-41' });
  assert.is((await send(site.report(study))).code, 'AA');
  const line = await event('KosPublished', (found) => found['study'] === study);
  assert.is(line['alreadyRegistered'], true);
  assert.is(site.kosOf(study).length, 1);
});

test('the DMP does not know the patient: E006, definitive', async () => {
  const study = newStudy();
  await site.putStudy(study);
  site.dmp.setFault({ kind: 'unknown-patient', times: 1, operation: 'ITI-41' });
  await send(site.report(study));
  assert.is((await event('PublicationFailed', (found) => found['study'] === study))['code'], 'E006');
  await assertWorks();
});

test('garbage on the wire gets AR or silence, and hurts nobody else', async () => {
  const good = await connectRis('127.0.0.1', port);
  const garbage = Buffer.concat([
    Buffer.from([0x0b]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0x1c, 0x0d]),
  ]);
  const answer = await sendMllp('127.0.0.1', port, garbage).then(String, () => 'closed');
  assert.ok(answer === 'closed' || answer.includes('MSA|AR') || answer.includes('MSA|AE'), answer);
  await good.close();
  await assertWorks();
});

test('no patient and no token stands in any log line', () => {
  const log = part.log();
  for (const secret of ['EXEMPLE', 'Bearer', '285049940301']) assert.not.match(log, secret);
});

test.run();
