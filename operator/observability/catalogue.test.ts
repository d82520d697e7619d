/** Each event of the operator: a sentence, a series that moves, a telling that says something, the same in log and status. */
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../../common/observability/log.ts';
import { catalogue } from './catalogue.ts';
import type { EventOf, OperatorEvent, OperatorEventName } from './events.ts';
import { handshakeReason, handshakeReasons } from './handshake-reason.ts';
import { type OperatorJournal, createOperatorJournal } from './journal.ts';
import type { KeptEvent } from './kept-events.ts';
import { createOperatorMetrics } from './metrics.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-events-'));
test.after(() => rmSync(folder, { recursive: true }));

const why = { reason: 'Because', message: 'in words' };
const refused = {
  at: '2026-01-01T00:00:00Z',
  peer: '192.0.2.1',
  serverName: 'db.example',
  reason: 'TLS_error:|CERTIFICATE_VERIFY_FAILED: certificate revoked',
};

/** One of each: an event that is added has none here until somebody says what it looks like. */
const samples: { readonly [N in OperatorEventName]: EventOf<N> } = {
  ConditionChanged: {
    name: 'ConditionChanged',
    kind: 'PacsLink',
    key: 'a/b',
    type: 'T',
    status: 'True',
    former: 'new',
    ...why,
  },
  WhitelistAccepted: { name: 'WhitelistAccepted', trustSpace: 't', generatedAt: '2026-01-01T00:00:00Z', domains: 3 },
  WhitelistRefused: { name: 'WhitelistRefused', trustSpace: 't', ...why },
  WhitelistUnreachable: { name: 'WhitelistUnreachable', trustSpace: 't', ...why },
  CrlRefreshed: { name: 'CrlRefreshed', trustSpace: 't', nextUpdate: '2026-01-01T00:00:00Z' },
  CrlRefused: { name: 'CrlRefused', trustSpace: 't', ...why },
  CertificateExpiring: { name: 'CertificateExpiring', kind: 'PacsLink', key: 'a/b', ...why },
  LinkProgrammed: { name: 'LinkProgrammed', link: 'a/b' },
  LinkRejected: { name: 'LinkRejected', link: 'a/b', ...why },
  ProxyRefused: { name: 'ProxyRefused', type: 'listener', names: ['public'], message: 'no' },
  ProxyNews: { name: 'ProxyNews', what: 'proxies connected', details: { count: 1 } },
  HandshakeRefused: { name: 'HandshakeRefused', link: 'a/b', code: 'E1101', ...refused },
  ConnectionRefused: { name: 'ConnectionRefused', ...refused },
  ProcessStarted: { name: 'ProcessStarted', process: 'envoy', pid: 1 },
  ProcessEnded: { name: 'ProcessEnded', process: 'envoy', what: 'ended (1)', delayMs: 1 },
  ProcessStopped: { name: 'ProcessStopped', process: 'envoy', what: 'stopped (0)' },
  PlanApplied: { name: 'PlanApplied', sites: 1, fqdns: 2 },
  RoundEnded: { name: 'RoundEnded', result: 'applied', seconds: 1 },
  RoundFailed: { name: 'RoundFailed', error: 'why', detail: 'where', seconds: 1 },
  FileRefused: {
    name: 'FileRefused',
    file: 'a.yaml',
    line: 1,
    column: 2,
    field: 'spec',
    rule: 'kind',
    message: 'is wrong',
    remedy: 'correct it',
  },
};
const events: readonly OperatorEvent[] = Object.values(samples);

test('no two events have the same sentence', () => {
  const sentences = Object.values(catalogue).map(({ sentence }) => sentence);
  assert.is(new Set(sentences).size, sentences.length);
});

for (const event of events)
  test(`${event.name} is logged with its fields, counted, and told unless it is mere detail`, async () => {
    const file = join(folder, event.name);
    const metrics = createOperatorMetrics(() => undefined);
    const journal = createOperatorJournal({
      log: createLog('debug', {}, openSync(file, 'w')),
      metrics,
      now: () => new Date(0),
      former: [],
    });
    const count = async (): Promise<number | undefined> =>
      (await metrics.events.get()).values.find(({ labels }) => labels.event === event.name)?.value;
    assert.is(await count(), 0);
    journal.record(event);
    journal.record(event);
    assert.is(await count(), 2);
    const { level, sentence } = catalogue[event.name];
    const [line = ''] = readFileSync(file, 'utf8').split('\n');
    const { name, ...fields } = event;
    const written = JSON.parse(line) as Readonly<Record<string, unknown>>;
    assert.equal(written, { ...written, level, msg: sentence, event: name, ...fields });
    const [kept, ...more] = journal.events();
    assert.equal(more, []);
    const detail = level === 'debug' || name === 'ProxyNews';
    assert.equal([kept?.count, kept?.level], detail ? [undefined, undefined] : [2, level]);
    assert.not.ok([kept?.subject, kept?.reason, kept?.message].includes(''));
  });

test('the series of each event moves with it', async () => {
  const metrics = createOperatorMetrics(() => undefined);
  const log = createLog('error', {}, openSync(join(folder, 'series'), 'w'));
  const journal = createOperatorJournal({ log, metrics, now: () => new Date(0), former: [] });
  const { ProxyRefused, HandshakeRefused, ConnectionRefused, ProcessStarted, ProcessEnded, ProcessStopped } = samples;
  const { RoundEnded, RoundFailed } = samples;
  for (const event of [ProxyRefused, HandshakeRefused, ConnectionRefused, RoundEnded, RoundFailed])
    journal.record(event);
  journal.record(ProcessStarted);
  assert.match(await metrics.registry.metrics(), 'drimbox_process_restarts_total{process="envoy"} 0');
  journal.record(ProcessEnded);
  const text = await metrics.registry.metrics();
  for (const line of [
    'drimbox_xds_nack_total{type="listener"} 1',
    'drimbox_handshake_refused_total{reason="revoked"} 2',
    'drimbox_operator_reconcile_total{result="applied"} 1',
    'drimbox_operator_reconcile_total{result="unchanged"} 0',
    'drimbox_operator_reconcile_total{result="failed"} 1',
    'drimbox_operator_reconcile_duration_seconds_count 2',
    'drimbox_process_restarts_total{process="envoy"} 1',
  ])
    assert.ok(text.split('\n').includes(line), line);
  journal.record(ProcessStopped);
  assert.not.match(await metrics.registry.metrics(), 'drimbox_process_restarts_total{');
});

test('what a former life kept goes on counting', () => {
  const make = (former: readonly KeptEvent[]): OperatorJournal =>
    createOperatorJournal({
      log: createLog('error'),
      metrics: createOperatorMetrics(() => undefined),
      now: () => new Date(0),
      former,
    });
  const first = make([]);
  first.record(samples.PlanApplied);
  const second = make(first.events());
  second.record(samples.PlanApplied);
  assert.is(second.events()[0]?.count, 2);
});

test('whatever a caller makes Envoy say, the reason is one of few', () => {
  const said: Readonly<Record<string, string>> = {
    'TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:certificate revoked': 'revoked',
    'TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:certificate has expired': 'expired',
    'TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:unable to get certificate CRL': 'crl',
    'TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED': 'untrusted',
    'TLS_error:|268435655:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE': 'no_certificate',
    'TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:CRL has expired': 'crl',
    'no FQDN of this name is served here': 'unknown_name',
    'TLS_error:|268435696:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL': 'protocol',
    '"} 1\ninjected{a="b': 'other',
    '': 'other',
  };
  for (const [words, reason] of Object.entries(said)) assert.is(handshakeReason(words), reason, words);
  assert.equal(new Set(Object.values(said)), new Set(handshakeReasons));
});

test.run();
