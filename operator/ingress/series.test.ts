/** The series of a real Envoy that serves: what alerts and panels ask of it is there, told apart by label. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certificateName, seriesName, trustName } from './resources/names.ts';
import { type Stage, openStage } from './stage.testing.ts';

let stage: Stage;
let lines: readonly string[] = [];

test.before(async () => {
  stage = await openStage(false);
  await stage.apply(stage.plan);
  lines = (await stage.page('/stats/prometheus')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
});

test.after(async () => {
  await stage.stop();
});

/** Values of a label of a series; undefined when there is no such series. */
function labels(series: string, label: string): ReadonlySet<string> | undefined {
  const found = lines.filter((line) => line.startsWith(`${series}{`));
  const values = found.map((line) => new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? '');
  return found.length === 0 ? undefined : new Set(values);
}

test('an FQDN is a label, and never in the name of a series: each would be a series that nobody asks for', () => {
  const names = new Set(lines.map((line) => line.slice(0, line.indexOf('{'))));
  assert.equal(
    [...names].filter((name) => name.includes('example')),
    [],
  );
});

test('what alerts and panels ask for is there, of each FQDN', () => {
  const { hosts, trusts } = stage.plan;
  const fqdns = hosts.map(({ fqdn }) => fqdn);
  const active = labels('envoy_http_downstream_rq_active', 'envoy_http_conn_manager_prefix');
  assert.equal(
    fqdns.filter((fqdn) => active?.has(seriesName(fqdn)) !== true),
    [],
  );
  const secrets = labels('envoy_sds_init_fetch_timeout', 'envoy_xds_resource_name');
  const used = [...fqdns.map(certificateName), ...trusts.map(({ name }) => trustName(name))];
  assert.equal(
    used.filter((name) => secrets?.has(name) !== true),
    [],
  );
  const notReady = 'envoy_listener_server_ssl_socket_factory_downstream_context_secrets_not_ready';
  assert.equal([...(labels(notReady, 'envoy_listener_address') ?? [])], ['host']);
  assert.ok(lines.some((line) => line.startsWith('envoy_listener_manager_total_listeners_warming{')));
});

test.run();
