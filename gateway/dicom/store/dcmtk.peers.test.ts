/** Our C-STORE, both sides, against DCMTK as the distribution ships it and with Nagle's algorithm off. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DcmtkProfile, peerArguments, runDcmtk, startStoreScp } from '../../../e2e/parts/dcmtk.ts';
import { dataSetOffset } from '../../../e2e/parts/dicom-writer.ts';
import { generateStudy, inventPatient } from '../../../e2e/parts/studies.ts';
import { openQuickAck } from '../association/quick-ack.ts';
import { part10Header } from '../part10.ts';
import { leased, openBench, uid } from './scripted-peer.ts';
import { openStoreSender } from './store-sender.ts';

const root = await mkdtemp(join(tmpdir(), 'drimbox-dcmtk-'));
const patient = inventPatient(2);
const ct = await generateStudy({ kind: 'CT', images: 12, patient, studyUid: '2.25.6001' }, join(root, 'ct'));
const ko = await generateStudy(
  { kind: 'KO', images: 1, patient, studyUid: '2.25.6001', seriesNumber: 2 },
  join(root, 'ko'),
);
const all = [...ct.instances, ...ko.instances];
const jpegLs = uid('1.2.840.10008.1.2.4.80');
const explicit = uid('1.2.840.10008.1.2.1');
const profiles: readonly DcmtkProfile[] = ['nagle', 'noDelay'];
const dataSetOf = (file: Buffer): Buffer => file.subarray(dataSetOffset(file));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

for (const profile of profiles) {
  test(`storescu (${profile}) stores to us byte for byte; with our header each is a file DCMTK reads`, async () => {
    const { receiver } = await openBench({ quickAck: openQuickAck() });
    const received = new Map<string, Buffer>();
    receiver.open(leased, 'pacs-a').receive(
      async (instance) => {
        const parts: Buffer[] = [part10Header({ ...instance, sourceAeTitle: instance.callingAeTitle })];
        for await (const bytes of instance.data) parts.push(bytes);
        received.set(instance.sopInstanceUid, Buffer.concat(parts));
      },
      [jpegLs, explicit],
    );
    const peer = { aeTitle: leased, host: receiver.host, port: receiver.port };
    // -xt proposes JPEG-LS beside the uncompressed syntaxes, in contexts of their own.
    const result = await runDcmtk(
      'storescu',
      ['-xt', ...peerArguments(peer, 'STORESCU'), ...all.map(({ file }) => file)],
      profile,
    );
    assert.is(result.exitCode, 0, result.output);
    for (const instance of all) {
      const file = received.get(instance.sopInstanceUid);
      assert.ok(file, instance.sopInstanceUid);
      assert.is(sha256(dataSetOf(file)), instance.sha256);
    }
    await receiver.close();
  });

  test(`our sender stores to storescp (${profile}) byte for byte, all over one association`, async () => {
    const scp = await startStoreScp(join(root, profile), profile);
    const sender = await openStoreSender(
      {
        host: scp.host,
        port: scp.port,
        callingAeTitle: 'DRIMBOX',
        calledAeTitle: scp.aeTitle,
        connectTimeoutMs: 2_000,
        responseTimeoutMs: 10_000,
        quickAck: openQuickAck(),
        clock: () => performance.now(),
      },
      all,
    );
    for (const instance of all) {
      assert.ok(sender.accepts(instance));
      assert.is(await sender.send({ ...instance, data: dataSetOf(await readFile(instance.file)) }), 0);
    }
    await sender.release();
    const hashes = new Set<string>();
    for (const name of await readdir(scp.received))
      hashes.add(sha256(dataSetOf(await readFile(join(scp.received, name)))));
    assert.ok(all.every((instance) => hashes.has(instance.sha256)));
    await scp.stop();
  });
}

test.after(async () => await rm(root, { recursive: true, force: true }));

test.run();
