/**
 * The remote DRIMbox of a measurement, a process of its own and as lean as Node can be: while the response comes, chunks are kept
 * as they are and the clock is read once for each. Parsing and hashing come after, on demand, outside wall and CPU time.
 *
 * Standard input: one JSON line per question. `fetch` answers `Transfer`, `check` answers `Check` about the last transfer.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { boundaryOf, describe, openSeries, readParts, type SeriesCall } from '../parts/drimbox-client.ts';

export type Question =
  | { readonly ask: 'fetch'; readonly call: SeriesCall }
  /** @param digestsFile JSON: SOP Instance UID to SHA-256 of the data set */
  | { readonly ask: 'check'; readonly digestsFile: string };

export interface Transfer {
  readonly status: number;
  readonly wallMs: number;
  readonly bytes: number;
}

export interface Check {
  readonly images: number;
  readonly equal: boolean;
  readonly firstImageMs: number;
}

interface Arrived {
  readonly atMs: number;
  readonly chunk: Buffer;
}

let last: { readonly arrived: readonly Arrived[]; readonly contentType: string } = { arrived: [], contentType: '' };

async function fetchNow(call: SeriesCall): Promise<Transfer> {
  last = { arrived: [], contentType: '' };
  const arrived: Arrived[] = [];
  const started = performance.now();
  const response = await openSeries(call);
  await new Promise<void>((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      arrived.push({ atMs: performance.now() - started, chunk });
      if (call.pauseMs === undefined) return;
      response.pause();
      setTimeout(() => response.resume(), call.pauseMs);
    });
    response.once('end', resolve);
    response.once('error', reject);
  });
  const wallMs = performance.now() - started;
  last = { arrived, contentType: response.headers['content-type'] ?? '' };
  return {
    status: response.statusCode ?? 0,
    wallMs,
    bytes: arrived.reduce((sum, { chunk }) => sum + chunk.length, 0),
  };
}

async function check(digestsFile: string): Promise<Check> {
  const expected = new Map(Object.entries(JSON.parse(readFileSync(digestsFile, 'utf8')) as Record<string, string>));
  const { arrived, contentType } = last;
  let consumed = 0;
  function* chunks(): Generator<Buffer> {
    for (const [index, { chunk }] of arrived.entries()) {
      consumed = index;
      yield chunk;
    }
  }
  let images = 0;
  let equal = true;
  let firstImageMs = Number.NaN;
  for await (const { transferSyntaxUid, file } of readParts(chunks(), boundaryOf(contentType), 0)) {
    const part = describe(transferSyntaxUid, file);
    if (images === 0) firstImageMs = arrived[consumed]?.atMs ?? Number.NaN;
    images += 1;
    equal &&= expected.get(part.sopInstanceUid) === part.dataSetSha256;
    expected.delete(part.sopInstanceUid); // twice the same is not equal either
  }
  last = { arrived: [], contentType: '' };
  return { images, equal: equal && expected.size === 0, firstImageMs };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as Question;
  const answer = question.ask === 'fetch' ? await fetchNow(question.call) : await check(question.digestsFile);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
