/** A third toolkit's requestor against our receiver: dcmjs-dimse, which parses and re-encodes what it sends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import dimse from 'dcmjs-dimse';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateStudy, inventPatient } from '../../../e2e/parts/studies.ts';
import { leased, openBench, uid } from './scripted-peer.ts';

const root = await mkdtemp(join(tmpdir(), 'drimbox-dcmjs-'));

test('dcmjs-dimse echoes and stores to us over one association', async () => {
  const study = await generateStudy(
    { kind: 'MR', images: 3, patient: inventPatient(4), studyUid: '2.25.7001' },
    join(root, 'mr'),
  );
  const { receiver, events } = await openBench();
  const received = new Map<string, number>();
  receiver.open(leased, 'pacs-a').receive(
    async (instance) => {
      let bytes = 0;
      for await (const piece of instance.data) bytes += piece.length;
      received.set(instance.sopInstanceUid, bytes);
    },
    [uid('1.2.840.10008.1.2.1')],
  );
  const statuses: number[] = [];
  const client = new dimse.Client();
  const requests = [
    new dimse.requests.CEchoRequest(),
    ...study.instances.map(({ file }) => new dimse.requests.CStoreRequest(file)),
  ];
  for (const request of requests) {
    request.on('response', (response) => statuses.push(response.getStatus()));
    client.addRequest(request);
  }
  await new Promise<void>((resolve, reject) => {
    client.on('closed', () => resolve());
    client.on('networkError', reject);
    client.send(receiver.host, receiver.port, 'DCMJS', leased);
  });
  assert.equal(statuses, [0, 0, 0, 0]);
  assert.equal(
    [...received.keys()].sort(),
    study.instances.map((instance) => instance.sopInstanceUid),
  );
  // 256 × 256 × 16 bit, and the header.
  for (const bytes of received.values()) assert.ok(bytes > 131_072);
  assert.equal(
    events.map((event) => event.name),
    ['ImageReceived', 'ImageReceived', 'ImageReceived'],
  );
  await receiver.close();
});

test.after(async () => await rm(root, { recursive: true, force: true }));

test.run();
