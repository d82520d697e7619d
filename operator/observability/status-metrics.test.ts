/** What the operator last saw, as series: the same as in the status, and gone with the resource. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StatusDocument } from '../controllers/status-document.ts';
import { notReady } from './metrics-server.ts';
import { createOperatorMetrics } from './metrics.ts';

const at = '2026-01-01T00:00:00.000Z';
const seconds = Date.parse(at) / 1000;

function one(
  kind: 'TrustSpace' | 'DrimboxSite' | 'PacsLink',
  key: string,
  conditions: Readonly<Record<string, readonly ['True' | 'False' | 'Unknown', string]>>,
  fields: Readonly<Record<string, unknown>> = {},
): StatusDocument['resources'][number] {
  return {
    kind,
    key,
    generation: 1,
    observedGeneration: 1,
    creationTimestamp: at,
    conditions: Object.entries(conditions).map(([type, [status, reason]]) => ({
      type,
      status,
      reason,
      message: '',
      observedGeneration: 1,
      lastTransitionTime: at,
    })),
    fields,
  };
}

const document: StatusDocument = {
  apiVersion: 'status.drimbox.dev/v1alpha1',
  writtenAt: at,
  operatorPid: 1,
  faults: [],
  processes: [{ name: 'gateway group/nord', running: true, restarts: 0 }],
  resources: [
    one(
      'TrustSpace',
      'test',
      { Ready: ['True', 'Ready'] },
      { crlExpiry: at, whitelist: { generatedAt: at, fetchedAt: at, domains: 7 } },
    ),
    one('DrimboxSite', 'group/nord', { Ready: ['Unknown', 'Starting'] }, { certificateExpiry: at }),
    one('PacsLink', 'group/a', { Ready: ['True', 'Ready'], IngressProgrammed: ['True', 'Programmed'] }),
    one('PacsLink', 'group/b', { Ready: ['False', 'x'], IngressProgrammed: ['False', 'RejectedByProxy'] }),
    one('PacsLink', 'group/c', { Ready: ['Unknown', 'x'], IngressProgrammed: ['Unknown', 'NotAcknowledged'] }),
  ],
};

test('each series says what the status says, at the time of the scrape', async () => {
  const last: { status: StatusDocument | undefined } = { status: undefined };
  const { registry } = createOperatorMetrics(() => last.status);
  const samples = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
  const read = (lines: readonly string[], name: string): readonly string[] =>
    lines.filter((line) => new RegExp(`^${name}[{ ]`).test(line));
  const before = await samples();
  for (const name of ['drimbox_resource_ready', 'drimbox_operator_file_faults', 'drimbox_ingress_links'])
    assert.equal(read(before, name), [], name);
  last.status = document;
  const lines = await samples();
  for (const line of [
    'drimbox_resource_ready{kind="TrustSpace",namespace="",name="test"} 1',
    'drimbox_resource_ready{kind="DrimboxSite",namespace="group",name="nord"} 0',
    'drimbox_condition{kind="DrimboxSite",namespace="group",name="nord",type="Ready",status="Unknown"} 1',
    'drimbox_condition{kind="DrimboxSite",namespace="group",name="nord",type="Ready",status="True"} 0',
    `drimbox_certificate_expiration_timestamp_seconds{kind="DrimboxSite",namespace="group",name="nord"} ${seconds}`,
    `drimbox_crl_expiration_timestamp_seconds{trust_space="test"} ${seconds}`,
    `drimbox_whitelist_generated_timestamp_seconds{trust_space="test"} ${seconds}`,
    `drimbox_whitelist_confirmed_timestamp_seconds{trust_space="test"} ${seconds}`,
    'drimbox_whitelist_domains{trust_space="test"} 7',
    'drimbox_ingress_links{state="programmed"} 1',
    'drimbox_ingress_links{state="rejected"} 1',
    'drimbox_ingress_links{state="pending"} 1',
    'drimbox_ingress_links{state="proxy_down"} 0',
    'drimbox_process_up{process="gateway group/nord"} 1',
    'drimbox_operator_file_faults 0',
    `drimbox_operator_status_timestamp_seconds ${seconds}`,
  ])
    assert.ok(lines.includes(line), line);
  last.status = { ...document, resources: [], processes: [] };
  const after = await samples();
  for (const name of ['drimbox_resource_ready', 'drimbox_condition', 'drimbox_process_up', 'drimbox_whitelist_domains'])
    assert.equal(read(after, name), [], name);
});

test('ready means: the last round went well, lately', () => {
  const now = new Date(seconds * 1000 + 5_000);
  assert.is(notReady(document, now), undefined);
  assert.match(notReady(undefined, now) ?? '', 'first round');
  assert.match(notReady({ ...document, error: 'disk full' }, now) ?? '', 'disk full');
  assert.match(notReady(document, new Date(seconds * 1000 + 120_000)) ?? '', 'no round ended');
});

test.run();
