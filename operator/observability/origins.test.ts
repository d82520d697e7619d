/** What the supervisor and the proxy say, as events: E1101 for db FQDNs alone, a refusal told from other news. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Refusal } from '../ingress/control-plane/delta-stream.ts';
import type { IngressHost } from '../plan/ingress-plan.ts';
import { processEvent } from './process-event.ts';
import { connectionEvent, proxyEvent } from './proxy-event.ts';

test("the proxy's refusal keeps its type, names and words; anything else is news", () => {
  const refusal: Refusal = { type: 'listener', names: ['public'], message: 'no such cipher' };
  assert.equal(proxyEvent('the proxy refused', { ...refusal }), { name: 'ProxyRefused', ...refusal });
  const details = { count: 1 };
  assert.equal(proxyEvent('proxies connected', details), { name: 'ProxyNews', what: 'proxies connected', details });
});

test('E1101 is told of a db FQDN, with its link; of a viewer or an unknown name it is not', () => {
  const failure = { at: '2026-01-01T00:00:00Z', peer: '192.0.2.1', serverName: 'a.example', reason: 'TLS_error' };
  const host = (kind: 'db' | 'vi') => ({ kind, link: 'group/one' }) as IngressHost;
  assert.equal(connectionEvent(failure, host('db')), {
    name: 'HandshakeRefused',
    code: 'E1101',
    link: 'group/one',
    ...failure,
  });
  assert.equal(connectionEvent(failure, host('vi')), { name: 'ConnectionRefused', link: 'group/one', ...failure });
  assert.equal(connectionEvent(failure, undefined), { name: 'ConnectionRefused', ...failure });
});

test('only a program that ended by itself counts as ended', () => {
  const names = [
    { name: 'envoy', what: 'started', pid: 1 },
    { name: 'envoy', what: 'ended (1)', delayMs: 0 },
    { name: 'envoy', what: 'stopped (0)' },
  ].map((news) => processEvent(news).name);
  assert.equal(names, ['ProcessStarted', 'ProcessEnded', 'ProcessStopped']);
});

test.run();
