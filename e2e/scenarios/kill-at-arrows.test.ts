/**
 * The gateway is killed by SIGKILL at each arrow between inbox and DMP, twenty times each, on a real PACS and a strict DMP. The RIS
 * does what a RIS does: a message without its acknowledgement is sent again. Each KOS must be in the DMP exactly once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startDmp } from '../parts/dmp.ts';
import { prepareGateway } from '../parts/gateway.ts';
import { startOrthanc } from '../parts/orthanc.ts';
import { patients } from '../parts/patients.ts';
import { createPki } from '../parts/pki.ts';
import { freePort, type Part } from '../parts/process.ts';
import { aReport, aStudy, reportMessage } from '../parts/reports.ts';
import { sendMllp } from '../parts/ris.ts';
import { generateStudy } from '../parts/studies.ts';
import { signWhitelist } from '../parts/whitelist.ts';

/** As gateway/source/publication/arrows.ts names them, in the order a report passes them. */
const arrows = [
  'message-read',
  'inbox-committed',
  'acknowledged',
  'intake-committed',
  'pacs-answered',
  'kos-built',
  'draft-committed',
  'dmp-called',
  'dmp-answered',
  'archive-committed',
] as const;
const times = 20;

const directory = mkdtempSync(join(tmpdir(), 'drimbox-kill-'));
const pki = await createPki(join(directory, 'pki'));
const structureId = '1750000001';
const issue = (commonName: string, kind: 'SERV_SSL' | 'AUTH_CLI' | 'SIGN') =>
  pki.issue({ commonName, organizationalUnit: structureId, kind });
const [service, server, authentication, signature, client] = [
  await issue('localhost', 'SERV_SSL'),
  await issue('db1.site.example', 'SERV_SSL'),
  await issue('drimbox', 'AUTH_CLI'),
  await issue('drimbox', 'SIGN'),
  await issue('psc', 'AUTH_CLI'),
];
const listSigner = await pki.issue({
  commonName: 'Liste Blanche DRIM-M',
  organizationalUnit: '318751275100020',
  kind: 'SIGN',
});
const whitelistFile = join(directory, 'whitelist.xml');
const own = {
  db: 'db1.site.example',
  vi: 'vi1.site.example',
  commonName: 'db1.site.example',
  organizationalUnit: structureId,
};
writeFileSync(whitelistFile, signWhitelist({ domains: [own], signer: listSigner, pki }));
const dmp = await startDmp({
  directory: join(directory, 'dmp'),
  certificateFile: service.certificateFile,
  keyFile: service.keyFile,
  clientCaFile: pki.bundleFile,
  crlFile: pki.crlBundleFile,
});
const dimsePort = await freePort();
const orthanc = await startOrthanc({
  directory: join(directory, 'pacs'),
  noDelay: true,
  modalities: {},
  throwaway: true,
});
const gateway = await prepareGateway({
  directory: join(directory, 'gateway'),
  pki,
  server,
  authentication,
  signature,
  introspection: { url: 'https://localhost:1/introspect', client, clientId: 'psc' },
  whitelistFile,
  dmpUrl: dmp.url,
  structureId,
  pacs: [
    {
      name: 'pacs',
      host: orthanc.host,
      port: orthanc.dicomPort,
      aeTitle: orthanc.aeTitle,
      aeTitlePool: ['DRIM1'],
      wadoFqdn: 'db1.site.example',
    },
  ],
  sendingApplication: 'RIS_KILL',
  dimsePort,
});
const plugFile = join(directory, 'plug');
const life: { part: Part | undefined } = { part: undefined };

test.after(async () => {
  await life.part?.stop();
  await orthanc.stop();
  await dmp.close();
  rmSync(directory, { recursive: true, force: true });
});

async function alive(): Promise<void> {
  life.part ??= await gateway.start(plugFile);
}

/** As a RIS: sends until it is acknowledged. */
async function deliver(message: Buffer): Promise<number> {
  for (let sent = 1; ; sent++) {
    try {
      const ack = await sendMllp('127.0.0.1', gateway.config.listeners.mllp.port, message);
      assert.match(ack.toString(), 'MSA|AA');
      return sent;
    } catch (error) {
      if (error instanceof assert.Assertion || sent === 5) throw error;
      await restart();
    }
  }
}

async function restart(): Promise<void> {
  const { part } = life;
  if (part) await part.ended;
  life.part = undefined;
  await alive();
}

async function untilPublished(study: string): Promise<void> {
  const { part } = life;
  const state: { ended: boolean } = { ended: false };
  void part?.ended.then(() => (state.ended = true));
  for (let n = 0; n < 2_000; n++) {
    if (state.ended) {
      await restart();
      await untilPublished(study);
      return;
    }
    const { publications } = await gateway
      .status()
      .catch(() => ({ publications: { queued: 1 } as Record<string, number> }));
    const open = (publications['queued'] ?? 0) + (publications['built'] ?? 0);
    if (open === 0 && kosOf(study).length > 0) return;
    await sleep(20);
  }
  throw new Error(`the KOS of ${study} never reached the DMP\n${part?.log().split('\n').slice(-10).join('\n') ?? ''}`);
}

const kosOf = (study: string) =>
  dmp
    .entries()
    .filter(({ kind, referenceIds }) => kind === 'kos' && referenceIds.some((id) => id.startsWith(`${study}^`)));

for (const [index, arrow] of arrows.entries()) {
  test(`killed at ${arrow}, ${times} times: published exactly once`, async () => {
    for (let n = 0; n < times; n++) {
      const studyUid = `2.25.77${index}${String(n).padStart(3, '0')}1`;
      const { instances } = await generateStudy(
        { kind: 'SR', images: 1, patient: patients.marie, patientId: patients.marie.ipp, studyUid },
        join(directory, 'images', studyUid),
      );
      for (const { file } of instances) await orthanc.upload(file);
      await alive();
      writeFileSync(plugFile, arrow);
      const message = reportMessage(
        aReport({
          controlId: `K${index}N${n}`,
          sendingApplication: 'RIS_KILL',
          cda: {
            id: `2.25.88${index}${String(n).padStart(3, '0')}1`,
            studies: [{ ...aStudy, studyInstanceUid: studyUid }],
            structure: { id: structureId, name: 'Centre d’essai' },
          },
        }),
      );
      const before = life.part?.pid;
      await deliver(message);
      await untilPublished(studyUid);
      await settled(before);
      const entries = kosOf(studyUid);
      assert.is(entries.length, 1, `${arrow}, ${n}: ${entries.length} KOS in the DMP`);
      assert.is(entries[0]?.status, 'approved');
      const submissions = dmp.submissions().filter((one) => one.entries.includes(entries[0]?.entryUuid ?? ''));
      assert.is(submissions.length, 1, `${arrow}, ${n}: ${submissions.length} submissions`);
    }
  });
}

/** The plug was really pulled: the gateway of before is gone, another one did the rest. */
async function settled(before: number | undefined): Promise<void> {
  for (let n = 0; n < 500 && life.part?.pid === before; n++) {
    const ended = await Promise.race([life.part?.ended.then(() => true), sleep(20).then(() => false)]);
    if (ended === true) await restart();
  }
  assert.is.not(life.part?.pid, before, 'the gateway was killed');
}

test.run();
