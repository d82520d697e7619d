import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openTracing, withoutSpans } from './tracing.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status?: { readonly code?: number; readonly message?: string };
}

/** A collector as OTLP over HTTP knows it: JSON to /v1/traces. */
const spans: Span[] = [];
const paths = new Set<string>();
const collector = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    paths.add(request.url ?? '');
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
      readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
    };
    spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
test.before(async () => await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve)));
test.after(() => void collector.close());

test('a round is one trace under the id that the proxies are told, with a span for each part', async () => {
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
  const tracing = await openTracing({ endpoint, instance: 'a', version: '1' });
  const first = tracing.round();
  assert.is(await first.step('plan', () => 42), 42);
  first.end('applied');
  const second = tracing.round();
  let thrown: unknown;
  await second
    .step('publish', () => {
      throw new Error('no socket');
    })
    .catch((error: unknown) => (thrown = error));
  second.end('failed', 'no socket');
  await tracing.stop();
  assert.match(String(thrown), /no socket/);
  assert.equal([...paths], ['/v1/traces']);
  assert.match(first.id, /^[0-9a-f]{32}$/);
  assert.is.not(first.id, second.id);
  const of = (id: string): Span[] => spans.filter(({ traceId }) => traceId === id);
  assert.equal(
    of(first.id)
      .map(({ name }) => name)
      .toSorted(),
    ['plan', 'reconcile'],
  );
  const [root, part] = ['reconcile', 'plan'].map((name) => of(first.id).find((span) => span.name === name));
  assert.is(part?.parentSpanId, root?.spanId);
  assert.equal(
    of(second.id).map(({ status }) => status?.message),
    ['no socket', 'no socket'],
  );
});

test('without an endpoint each round has an id of its own and nothing is sent', async () => {
  const tracing = withoutSpans();
  const ids = new Set(Array.from({ length: 100 }, () => tracing.round().id));
  assert.is(ids.size, 100);
  assert.is(await tracing.round().step('plan', () => 'x'), 'x');
  await tracing.stop();
});

test.run();
