import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readFailures } from './access-log.ts';

const at = {
  start_time: { seconds: 1_767_225_600, nanos: 5_000_000 },
  downstream_remote_address: { socket_address: { address: '192.0.2.7' } },
  tls_properties: { tls_sni_hostname: 'db.nord.example' },
};
const told = (entry: object): ReturnType<typeof readFailures> =>
  readFailures({ tcp_logs: { log_entry: [{ common_properties: { ...at, ...entry } }] } });

test('a failed handshake: when, who, which name, why', () => {
  assert.equal(told({ downstream_transport_failure_reason: 'TLS_error:expired' }), [
    { at: '2026-01-01T00:00:00.005Z', peer: '192.0.2.7', serverName: 'db.nord.example', reason: 'TLS_error:expired' },
  ]);
});

test('an unknown name is said in words', () => {
  for (const flag of ['no_route_found', 'no_cluster_found', 'upstream_connection_failure'])
    assert.match(told({ response_flags: { [flag]: true } })[0]?.reason ?? '', /no FQDN of this name/);
});

test('the first reason that says something counts, and a connection without one is no failure', () => {
  const entry = { downstream_transport_failure_reason: '', connection_termination_details: 'limit' };
  assert.is(told(entry)[0]?.reason, 'limit');
  assert.equal(told({}), []);
  assert.equal(readFailures({}), []);
});

test.run();
