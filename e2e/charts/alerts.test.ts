/** The alert rules as Prometheus reads them (promtool of Debian): every expression parses, every alert fires when it must and not before. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { promtool } from '../judges/prometheus.ts';
import { panels, rules, rulesFile } from './expressions.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-alerts-'));
test.after(() => rmSync(folder, { recursive: true }));

/** One sample a minute from time 0 on, in promtool's notation (`1+0x5`: six times 1). */
type Series = Readonly<Record<string, string>>;

interface Case {
  /** With these it stands at `minute`, with these labels and words. */
  readonly fires: Series;
  readonly minute: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  /** With each of these it does not, at that same minute. */
  readonly silent: Readonly<Record<string, Series>>;
}

const a = 'instance="10.0.0.1:9090",job="drimbox/drimbox-operator",pod="operator-a"';
const b = 'instance="10.0.0.2:9090",job="drimbox/drimbox-operator",pod="operator-b"';
const proxy = 'instance="10.0.0.3:19001",pod="ingress-a"';
const gateway = 'instance="10.0.0.4:8080",pod="drimbox-nord-0"';
const job = 'drimbox/drimbox-operator';
const link = 'kind="PacsLink",namespace="group",name="pacs"';
const linkLabels = { kind: 'PacsLink', namespace: 'group', name: 'pacs' };
const day = 86_400;
const read = (labels: string): Readonly<Record<string, string>> =>
  Object.fromEntries(labels.split(',').map((pair) => pair.replaceAll('"', '').split('=') as [string, string]));

const leader = `leader_election_master_status{${a},name="drimbox"}`;
const follower = `leader_election_master_status{${b},name="drimbox"}`;
const ready = (labels: string): string => `drimbox_resource_ready{${labels},${link}}`;
const written = (labels: string): string => `drimbox_operator_status_timestamp_seconds{${labels}}`;
const ends = (labels: string): string => `drimbox_certificate_expiration_timestamp_seconds{${labels},${link}}`;
const crl = `drimbox_crl_expiration_timestamp_seconds{${a},trust_space="test"}`;
const confirmed = (labels: string): string =>
  `drimbox_whitelist_confirmed_timestamp_seconds{${labels},trust_space="test"}`;
const nacks = `drimbox_xds_nack_total{${a},type="listeners"}`;
const connected = `envoy_control_plane_connected_state{${proxy}}`;
const late = `envoy_sds_init_fetch_timeout{${proxy},envoy_xds_resource_name="db1.example"}`;
const notReady = `envoy_listener_server_ssl_socket_factory_downstream_context_secrets_not_ready{${proxy}}`;
const warming = `envoy_listener_manager_total_listeners_warming{${proxy}}`;
const up = `drimbox_pacs_up{${gateway},pacs="pacs"}`;
const ended = (outcome: string, code: string): string =>
  `drimbox_publications_total{${gateway},outcome="${outcome}",code="${code}"}`;

const cases: Readonly<Record<string, readonly Case[]>> = {
  DrimboxNotReady: [
    {
      // both say it, and it is told once
      fires: { [ready(a)]: '0+0x30', [ready(b)]: '0+0x30', [leader]: '1+0x30', [follower]: '0+0x30' },
      minute: 12,
      labels: { ...read(a), ...linkLabels, severity: 'warning' },
      summary: 'PacsLink group/pacs is not ready',
      silent: {
        'it is ready': { [ready(a)]: '1+0x30', [leader]: '1+0x30' },
        'it came back in between': { [ready(a)]: '0+0x5 1 0+0x20', [leader]: '1+0x30' },
        'only a follower says so': {
          [ready(a)]: '1+0x30',
          [ready(b)]: '0+0x30',
          [leader]: '1+0x30',
          [follower]: '0+0x30',
        },
      },
    },
  ],
  DrimboxOperatorSilent: [
    {
      fires: { [written(a)]: '0+0x30', [written(b)]: '0+0x30' },
      minute: 5,
      labels: { job, severity: 'critical' },
      summary: 'no operator ended a round for a minute; traffic goes on, nothing changes',
      silent: { 'one of them writes': { [written(a)]: '0+0x30', [written(b)]: '0+60x30' } },
    },
    {
      // none runs any more, or none is scraped
      fires: { [connected]: '1+0x30' },
      minute: 5,
      labels: { severity: 'critical' },
      summary: 'no operator ended a round for a minute; traffic goes on, nothing changes',
      silent: { 'the last one left a minute ago': { [written(a)]: '0+60x4 stale' } },
    },
  ],
  DrimboxNoLeader: [
    {
      fires: { [leader]: '0+0x30', [follower]: '0+0x30' },
      minute: 4,
      labels: { job, severity: 'critical' },
      summary: 'no operator leads, nothing is written',
      silent: {
        'the lead changes hands': { [leader]: '1 1 0+0x20', [follower]: '0 0 0 1+0x20' },
        'one leads': { [leader]: '1+0x30', [follower]: '0+0x30' },
      },
    },
  ],
  DrimboxApiServerSilent: [
    {
      fires: { [`drimbox_reflector_last_heard_seconds{${a}}`]: '0+60x30' },
      minute: 13,
      labels: { ...read(a), severity: 'warning' },
      summary: 'operator-a has not heard of the API server for ten minutes',
      silent: { 'it is heard of each minute': { [`drimbox_reflector_last_heard_seconds{${a}}`]: '59+0x30' } },
    },
  ],
  DrimboxCertificateEnds: [
    {
      fires: { [ends(a)]: `${20 * day}+0x90`, [ends(b)]: `${20 * day}+0x90` },
      minute: 70,
      labels: { ...linkLabels, severity: 'warning' },
      summary: 'a certificate of PacsLink group/pacs ends in 19d 22h 50m 0s',
      silent: { 'it ends in 31 days': { [ends(a)]: `${31 * day}+0x90` } },
    },
  ],
  DrimboxCertificateEndsThisWeek: [
    {
      fires: { [ends(a)]: `${6 * day}+0x90` },
      minute: 12,
      labels: { ...linkLabels, severity: 'critical' },
      summary: 'a certificate of PacsLink group/pacs ends in 5d 23h 48m 0s',
      silent: { 'it ends in 8 days': { [ends(a)]: `${8 * day}+0x90` } },
    },
  ],
  DrimboxCrlEnds: [
    {
      fires: { [crl]: '36000+0x90' },
      minute: 10,
      labels: { trust_space: 'test', severity: 'critical' },
      summary: 'a CRL of test ends in 9h 50m 0s; then every caller is refused',
      silent: {
        'a newer one came': { [crl]: '36000 36000 90000+0x90' },
        'it ends tomorrow': { [crl]: `${day}+0x90` },
      },
    },
  ],
  DrimboxWhitelistNotConfirmed: [
    {
      fires: { [confirmed(a)]: '0+0x3000', [confirmed(b)]: '0+0x3000' },
      minute: 2 * 1440 + 20,
      labels: { trust_space: 'test', severity: 'critical' },
      summary: 'no good whitelist of test was had for 2d 0h 20m 0s',
      silent: { 'one of them had it': { [confirmed(a)]: '0+0x3000', [confirmed(b)]: '0+60x3000' } },
    },
  ],
  DrimboxProxyRefusedConfiguration: [
    {
      fires: { [nacks]: '0 0 0 1+0x20' },
      minute: 10,
      labels: { ...read(a), type: 'listeners', severity: 'warning' },
      summary: 'a proxy refused a configuration; it serves what it had before',
      silent: { none: { [nacks]: '0+0x30' }, 'the counter starts anew': { [nacks]: '3 3 3 0+0x30' } },
    },
  ],
  DrimboxProxyAlone: [
    {
      fires: { [connected]: '1 0+0x30' },
      minute: 13,
      labels: { ...read(proxy), severity: 'warning' },
      summary: 'ingress-a reaches no operator; it serves what it was given last',
      silent: { 'it went to another operator': { [connected]: '1 0+0x5 1+0x30' } },
    },
  ],
  DrimboxProxyWithoutCertificate: [
    {
      fires: { [late]: '0 1+0x10' },
      minute: 2,
      labels: { ...read(proxy), envoy_xds_resource_name: 'db1.example', severity: 'critical' },
      summary: 'ingress-a did not get db1.example in time: handshakes of that FQDN fail',
      silent: { 'in time': { [late]: '0+0x10' } },
    },
  ],
  DrimboxHandshakesWithoutCertificate: [
    {
      fires: { [notReady]: '0+1x10' },
      minute: 5,
      labels: { ...read(proxy), severity: 'critical' },
      summary: 'ingress-a refuses handshakes since it has no certificate for them',
      silent: { 'none since': { [notReady]: '7+0x10' } },
    },
  ],
  DrimboxListenerWarming: [
    {
      fires: { [warming]: '1+0x10' },
      minute: 6,
      labels: { ...read(proxy), severity: 'warning' },
      summary: 'ingress-a waits for a part of its configuration; changes are not in force',
      silent: { 'it warmed': { [warming]: '1 1 0+0x10' } },
    },
  ],
  DrimboxPacsSilent: [
    {
      fires: { [up]: '0+0x20' },
      minute: 12,
      labels: { ...read(gateway), pacs: 'pacs', severity: 'warning' },
      summary: 'a PACS of drimbox-nord-0 does not answer C-ECHO',
      silent: { 'it answers again': { [up]: '0+0x5 1 0+0x20' } },
    },
  ],
  DrimboxPublicationsFail: [
    {
      fires: { [ended('failed', 'E006')]: '0 0 1+0x30', [ended('failed', 'E007')]: '0+0x30' },
      minute: 10,
      labels: { ...read(gateway), outcome: 'failed', code: 'E006', severity: 'warning' },
      summary: 'publications of drimbox-nord-0 ended in failure: E006',
      silent: { 'they succeed': { [ended('published', '')]: '0+5x30', [ended('failed', 'E006')]: '0+0x30' } },
    },
  ],
};

function unit(alert: string, series: Series, minute: number, expected: readonly object[]): object {
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: `${minute}m`, alertname: alert, exp_alerts: expected }],
  };
}

const units = Object.entries(cases).flatMap(([alert, list]) =>
  list.flatMap(({ fires, minute, labels, summary, silent }) => {
    const runbook = rules.find((rule) => rule.alert === alert)?.annotations.runbook_url ?? '';
    const stands = { exp_labels: labels, exp_annotations: { summary, runbook_url: runbook } };
    return [
      { name: `${alert} fires`, test: unit(alert, fires, minute, [stands]) },
      ...Object.entries(silent).map(([why, series]) => ({
        name: `${alert} is silent: ${why}`,
        test: unit(alert, series, minute, []),
      })),
    ];
  }),
);

function placed(name: string, content: object): string {
  const file = join(folder, name);
  writeFileSync(file, stringify(content, { lineWidth: 0, aliasDuplicateObjects: false }));
  return file;
}

test('each alert has a case in which it fires and one in which it does not', () => {
  assert.equal(Object.keys(cases), [...new Set(rules.map(({ alert }) => alert))]);
  for (const list of Object.values(cases)) for (const { silent } of list) assert.ok(Object.keys(silent).length > 0);
});

test('Prometheus takes the rules as they are', () => {
  assert.equal(promtool(['check', 'rules', '--lint=all', '--lint-fatal', rulesFile]), []);
});

test('Prometheus takes every expression of the dashboard', () => {
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  assert.ok(expressions.length > 10);
  const recorded = expressions.map((expr, at) => ({
    record: `panel:${at}`,
    // what Grafana puts in
    expr: expr
      .replaceAll('$__rate_interval', '5m')
      .replaceAll('$__range', '1h')
      .replaceAll(/\$\{?\w+\}?/g, 'x'),
  }));
  const file = placed('panels.yaml', { groups: [{ name: 'panels', rules: recorded }] });
  assert.equal(promtool(['check', 'rules', file]), []);
});

for (const { name, test: one } of units)
  test(name, () => {
    const file = placed('unit.yaml', { rule_files: [rulesFile], evaluation_interval: '1m', tests: [one] });
    assert.equal(promtool(['test', 'rules', file]), []);
  });

test('a rule that is none, and an expectation that does not hold, are refused', () => {
  const rule = placed('wrong.yaml', { groups: [{ name: 'x', rules: [{ alert: 'X', expr: 'max by (job) (' }] }] });
  assert.match(promtool(['check', 'rules', rule]).join('\n'), 'parse error');
  const [first] = units;
  if (first === undefined) throw new Error('there are cases');
  const never = { ...first.test, input_series: [] };
  const file = placed('unit.yaml', { rule_files: [rulesFile], evaluation_interval: '1m', tests: [never] });
  assert.match(promtool(['test', 'rules', file]).join('\n'), 'DrimboxNotReady');
});

test.run();
