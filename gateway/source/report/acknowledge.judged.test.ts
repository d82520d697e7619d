/** HAPI, which we did not write, sends every kind of message to our listener and checks every kind of acknowledgement. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkHl7, sendHl7 } from '../../../e2e/judges/hapi.ts';
import { aReport, examChangeMessage, reportMessage } from '../../../e2e/parts/reports.ts';
import { acknowledge } from './acknowledge.ts';
import { startMllpListener } from './mllp.ts';
import { readReport } from './read-report.ts';

let ids = 0;
const identity = (): { now: Date; controlId: string } => ({ now: new Date(0), controlId: `A${(ids += 1)}` });

function answer(bytes: Buffer): Buffer {
  const reading = readReport(bytes, { maxDocumentBytes: 1_000_000 });
  if (reading.kind === 'refused')
    return acknowledge(reading.message, { code: reading.acknowledgement, faults: reading.faults }, identity());
  return acknowledge(
    reading.kind === 'understood' ? reading.report.message : reading.message,
    { code: 'AA' },
    identity(),
  );
}

const sent: readonly (readonly [Buffer, string])[] = [
  ...(['ORU', 'MDM'] as const).flatMap((transport) =>
    (['initial', 'replacement', 'deletion'] as const).map(
      (action) => [reportMessage(aReport({ transport, action, controlId: `${transport}-${action}` })), 'AA'] as const,
    ),
  ),
  [reportMessage(aReport({ controlId: 'LACKS', without: ['studyInstanceUid'] })), 'AA'],
  [reportMessage(aReport({ controlId: 'NOTXML', variant: 'notXml' })), 'AE'],
  [reportMessage(aReport({ controlId: 'NODOC', variant: 'noDocument' })), 'AE'],
  [examChangeMessage('2.25.1001', 'OMI-1'), 'AA'],
];

test('HAPI takes every acknowledgement of our listener, and finds its own message id in it', async () => {
  const listener = await startMllpListener(
    { host: '127.0.0.1', port: 0, maxMessageBytes: 1_000_000 },
    async (bytes) => answer(bytes),
    {
      now: () => new Date(0),
      newControlId: () => 'N1',
      onHandlerFailure: (error) => assert.unreachable(String(error)),
    },
  );
  try {
    const verdicts = await sendHl7(
      listener.address.port,
      sent.map(([bytes]) => bytes),
    );
    for (const [index, verdict] of verdicts.entries()) {
      assert.is(verdict.error, undefined, verdict.error);
      assert.equal(verdict.ackDefects, []);
      assert.is(verdict['MSA-1'], sent[index]?.[1]);
      assert.is(verdict['MSA-2'], verdict.sentId);
    }
  } finally {
    await listener.close();
  }
});

test('refusals of what no sender should send are conformant too', async () => {
  const refused = [
    Buffer.from('GET / HTTP/1.1'),
    Buffer.from('MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5\r'),
    Buffer.from('MSH|^~\\&|A|B|C|D|2026||MDM^T01|2|P|2.6\r'),
    Buffer.from('MSH|^~\\&|A|B|C|D|2026||ORU^R01|3|P|2.2\r'),
    Buffer.from('MSH|^~\\&|A|B|C|D|2026||OMI^O23|4|P|2.5.1\r'),
  ];
  const verdicts = await checkHl7(refused.map(answer));
  for (const verdict of verdicts) assert.equal([verdict.error, verdict.defects], [undefined, []]);
  assert.equal(
    verdicts.map((verdict) => [verdict['MSA-1'], verdict['ERR-3-1']]),
    [
      ['AR', '100'],
      ['AR', '200'],
      ['AR', '201'],
      ['AR', '203'],
      ['AE', '101'],
    ],
  );
});

test.run();
