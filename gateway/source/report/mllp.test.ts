import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectRis, framed, sendMllp } from '../../../e2e/parts/ris.ts';
import { aReport, examChangeMessage, reportMessage } from '../../../e2e/parts/reports.ts';
import { acknowledge } from './acknowledge.ts';
import { type MllpHandler, type MllpListener, type MllpOptions, startMllpListener } from './mllp.ts';
import { readReport } from './read-report.ts';

interface Site {
  readonly listener: MllpListener;
  readonly port: number;
  readonly taken: string[];
  readonly failures: unknown[];
  readonly oversize: string[];
}

const limits = { maxDocumentBytes: 20_000_000 };
let ids = 0;
const identity = (): { now: Date; controlId: string } => ({ now: new Date(0), controlId: `A${(ids += 1)}` });

/** Reads and acknowledges, as the gateway does once the message is stored. */
const accept =
  (taken: string[]): MllpHandler =>
  async (bytes) => {
    const reading = readReport(bytes, limits);
    if (reading.kind === 'refused')
      return acknowledge(reading.message, { code: reading.acknowledgement, faults: reading.faults }, identity());
    const message = reading.kind === 'understood' ? reading.report.message : reading.message;
    taken.push(message.controlId);
    return acknowledge(message, { code: 'AA' }, identity());
  };

async function withSite(
  use: (site: Site) => Promise<void>,
  over: Partial<MllpOptions> & { readonly handle?: MllpHandler } = {},
): Promise<void> {
  const { handle, ...options } = over;
  const [taken, failures, oversize]: [string[], unknown[], string[]] = [[], [], []];
  const listener = await startMllpListener(
    { host: '127.0.0.1', port: 0, maxMessageBytes: 16_000_000, ...options },
    handle ?? accept(taken),
    {
      now: () => new Date(0),
      newControlId: () => `N${(ids += 1)}`,
      onHandlerFailure: (error) => failures.push(error),
      onOversize: (remote) => oversize.push(remote),
    },
  );
  try {
    await use({ listener, port: listener.address.port, taken, failures, oversize });
  } finally {
    await listener.close();
  }
}

const msa = (ack: Buffer): string => /MSA\|[^\r]*/.exec(String(ack))?.[0] ?? '';
const message = (controlId: string): Buffer => reportMessage(aReport({ controlId }));

test('an ORU is acknowledged with its own id', async () => {
  await withSite(async ({ port, taken }) => {
    assert.is(msa(await sendMllp('127.0.0.1', port, message('M1'))), 'MSA|AA|M1');
    assert.equal(taken, ['M1']);
  });
});

test('a connection kept open takes each message exactly once, in order', async () => {
  await withSite(async ({ port, taken }) => {
    const ris = await connectRis('127.0.0.1', port);
    const sent = Array.from({ length: 50 }, (_, index) => `M${index}`);
    for (const id of sent) assert.is(msa(await ris.send(message(id))), `MSA|AA|${id}`);
    assert.equal(taken, sent);
    await ris.close();
  });
});

test('byte by byte, and two messages in one chunk', async () => {
  await withSite(async ({ port, taken }) => {
    const ris = await connectRis('127.0.0.1', port);
    const slow = framed(Buffer.from('MSH|^~\\&|A|B|C|D|2026||ORU^R01|SLOW|P|2.5\r'));
    for (const byte of slow) await ris.write(Buffer.of(byte));
    assert.is(msa(await ris.receive()), 'MSA|AE|SLOW');
    await ris.write(Buffer.concat([framed(message('M1')), framed(message('M2'))]));
    assert.equal([msa(await ris.receive()), msa(await ris.receive())], ['MSA|AA|M1', 'MSA|AA|M2']);
    assert.equal(taken, ['M1', 'M2']);
    await ris.close();
  });
});

test('a report of 5 MB', async () => {
  await withSite(async ({ port }) => {
    const heavy = reportMessage(aReport({ controlId: 'BIG', cda: { bodyBytes: 3_000_000 } }));
    assert.ok(heavy.length > 5_000_000);
    assert.is(msa(await sendMllp('127.0.0.1', port, heavy)), 'MSA|AA|BIG');
  });
});

test('interleaved clients each get their own answers', async () => {
  await withSite(async ({ port, taken }) => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => connectRis('127.0.0.1', port)));
    const wires = clients.map((_, index) => framed(message(`C${index}`)));
    const step = 997;
    for (let at = 0; at < Math.max(...wires.map(({ length }) => length)); at += step)
      for (const [index, client] of clients.entries()) {
        const piece = wires[index]?.subarray(at, at + step) ?? Buffer.alloc(0);
        if (piece.length > 0) await client.write(piece);
      }
    for (const [index, client] of clients.entries()) assert.is(msa(await client.receive()), `MSA|AA|C${index}`);
    assert.equal(taken.toSorted(), ['C0', 'C1', 'C2', 'C3']);
    await Promise.all(clients.map((client) => client.close()));
  });
});

test('a sender that ends its side after the message still gets the answer', async () => {
  await withSite(async ({ port }) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.end(framed(message('LAST')));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    assert.is(msa(Buffer.concat(chunks)), 'MSA|AA|LAST');
  });
});

test('the official ORU and MDM are taken and acknowledged', async () => {
  const official = join(import.meta.dirname, '../../../../shared/ans/hl7');
  const samples = existsSync(official)
    ? ['CR_I-ORU.hl7', 'CR_I-MDM.hl7', 'CR_H-ORU.hl7', 'CR_I_Depublication-ORU.hl7', 'CR_W_Suppression-OMI.hl7'].map(
        (name) => readFileSync(join(official, name)),
      )
    : [message('ORU'), reportMessage(aReport({ transport: 'MDM' })), examChangeMessage('2.25.1', 'OMI')];
  await withSite(async ({ port, taken }) => {
    const ris = await connectRis('127.0.0.1', port);
    for (const sample of samples) assert.match(msa(await ris.send(sample)), /^MSA\|AA\|/);
    assert.is(taken.length, samples.length);
    await ris.close();
  });
});

test('garbage is rejected and the connection goes on', async () => {
  await withSite(async ({ port }) => {
    const ris = await connectRis('127.0.0.1', port);
    assert.match(msa(await ris.send(Buffer.from('GET / HTTP/1.1'))), /^MSA\|AR\|/);
    assert.match(msa(await ris.send(Buffer.from('MSH'))), /^MSA\|AR\|/);
    assert.is(msa(await ris.send(message('M1'))), 'MSA|AA|M1');
    await ris.close();
  });
});

test('a handler that fails answers AE 207 and loses nothing after it', async () => {
  let calls = 0;
  const handle: MllpHandler = async (bytes, remote) => {
    calls += 1;
    if (calls === 1) throw new Error('disk full');
    return await accept([])(bytes, remote);
  };
  await withSite(
    async ({ port, failures }) => {
      const ris = await connectRis('127.0.0.1', port);
      const refused = await ris.send(message('M1'));
      assert.is(msa(refused), 'MSA|AE|M1');
      assert.match(String(refused), /ERR\|\|[^|]*\|207\^/);
      assert.is(failures.length, 1);
      assert.is(msa(await ris.send(message('M1'))), 'MSA|AA|M1');
      await ris.close();
    },
    { handle },
  );
});

test('a message over the cap is rejected and the connection closed', async () => {
  await withSite(
    async ({ port, oversize, taken }) => {
      const ris = await connectRis('127.0.0.1', port);
      const answer = ris.send(reportMessage(aReport({ controlId: 'TOOBIG', cda: { bodyBytes: 400_000 } })));
      assert.is(msa(await answer), 'MSA|AR|TOOBIG');
      await ris.closed;
      assert.is(oversize.length, 1);
      assert.equal(taken, []);
      assert.is(msa(await sendMllp('127.0.0.1', port, message('M2'))), 'MSA|AA|M2');
    },
    { maxMessageBytes: 65_536 },
  );
});

test('silence in the middle of a message ends the connection', async () => {
  await withSite(
    async ({ port, taken }) => {
      const ris = await connectRis('127.0.0.1', port);
      await ris.write(framed(message('M1')).subarray(0, 200));
      await ris.closed;
      assert.equal(taken, []);
    },
    { frameTimeoutMs: 50 },
  );
});

test('connections are bounded', async () => {
  await withSite(
    async ({ port }) => {
      const first = await connectRis('127.0.0.1', port);
      assert.is(msa(await first.send(message('M1'))), 'MSA|AA|M1');
      const second = await connectRis('127.0.0.1', port);
      await second.closed;
      assert.is(msa(await first.send(message('M2'))), 'MSA|AA|M2');
      await first.close();
    },
    { maxConnections: 1 },
  );
});

test('closing waits for the message being handled and its answer', async () => {
  const { promise: started, resolve: begin } = Promise.withResolvers<void>();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const handle: MllpHandler = async (bytes, remote) => {
    begin();
    await held;
    return await accept([])(bytes, remote);
  };
  await withSite(
    async ({ listener, port }) => {
      const ris = await connectRis('127.0.0.1', port);
      const answer = ris.send(message('M1'));
      await started;
      const closing = listener.close();
      release();
      assert.is(msa(await answer), 'MSA|AA|M1');
      await closing;
      await ris.closed;
    },
    { handle },
  );
});

test.run();
