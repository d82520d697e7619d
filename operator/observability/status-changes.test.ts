/** Which events two statuses make: each change once, by its closest name; what stays the same is silent. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Verdict } from '../plan/condition.ts';
import type { ResourceStatus } from '../plan/status.ts';
import { changesBetween } from './status-changes.ts';

type Kind = ResourceStatus['kind'];

function resource(
  kind: Kind,
  verdicts: readonly (readonly [type: string, status: Verdict['status'], reason: string, message?: string])[],
  fields: ResourceStatus['fields'] = {},
): ResourceStatus {
  return {
    kind,
    key: kind === 'TrustSpace' ? 'test' : 'group/one',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
    conditions: verdicts.map(([type, status, reason, message = 'words']) => ({
      type,
      status,
      reason,
      message,
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })),
    fields,
  };
}

const told = (before: ResourceStatus | undefined, after: ResourceStatus): string[] =>
  [...changesBetween(before === undefined ? [] : [before], [after])].map((event) => event.name);

test('what stays the same is silent, whatever its message and its times say', () => {
  const before = resource('DrimboxSite', [
    ['Ready', 'True', 'Ready'],
    ['WorkloadAvailable', 'True', 'Running', 'a'],
  ]);
  const after = resource('DrimboxSite', [
    ['Ready', 'True', 'Ready'],
    ['WorkloadAvailable', 'True', 'Running', 'b'],
  ]);
  assert.equal(told(before, after), []);
});

test('a status or a reason that changes is told once; Ready only when it turns', () => {
  const at = (ready: readonly [Verdict['status'], string], workload: string): ResourceStatus =>
    resource('DrimboxSite', [
      ['Ready', ...ready],
      ['WorkloadAvailable', 'False', workload],
    ]);
  assert.equal(told(at(['False', 'Restarting'], 'Restarting'), at(['False', 'NotReady'], 'NotReady')), [
    'ConditionChanged',
  ]);
  assert.equal(told(at(['False', 'Restarting'], 'Restarting'), at(['True', 'Ready'], 'Restarting')), [
    'ConditionChanged',
  ]);
});

test('a new resource is told by what is known of it', () => {
  const after = resource('DrimboxSite', [
    ['Ready', 'Unknown', 'Starting'],
    ['Accepted', 'True', 'Accepted'],
    ['Paused', 'False', 'NotPaused'],
  ]);
  const events = [...changesBetween([], [after])];
  assert.equal(
    events.map((event) => (event.name === 'ConditionChanged' ? [event.type, event.former] : event.name)),
    [['Accepted', 'new']],
  );
});

test('a whitelist: accepted, then silent, refused, and not to be had', () => {
  const list = (status: Verdict['status'], reason: string, generatedAt?: string): ResourceStatus =>
    resource(
      'TrustSpace',
      [['WhitelistVerified', status, reason]],
      generatedAt === undefined ? {} : { whitelist: { generatedAt, domains: 3 } },
    );
  const good = list('True', 'Verified', 'monday');
  assert.equal(told(undefined, good), ['WhitelistAccepted']);
  assert.equal(told(good, good), []);
  assert.equal(told(good, list('True', 'Verified', 'tuesday')), ['WhitelistAccepted']);
  assert.equal(told(good, list('False', 'SignatureForged', 'monday')), ['WhitelistRefused']);
  assert.equal(told(good, list('True', 'Unreachable', 'monday')), ['WhitelistUnreachable']);
  assert.equal(told(list('True', 'Unreachable', 'monday'), list('False', 'UnreachableTwoDays', 'monday')), [
    'WhitelistUnreachable',
  ]);
  assert.equal(told(list('True', 'Unreachable', 'monday'), good), ['ConditionChanged']);
});

test('a list that waits for the first CRLs is not called refused', () => {
  const at = (crls: string): ResourceStatus =>
    resource('TrustSpace', [
      ['CrlFresh', 'False', crls],
      ['WhitelistVerified', 'False', 'CrlMissing'],
    ]);
  assert.equal(told(undefined, at('Fetching')), ['ConditionChanged', 'ConditionChanged']);
  assert.equal(told(at('Fetching'), at('CrlUnreachable')), ['CrlRefused']);
});

test('CRLs: a later end is a newer list, a fault is told, fetching is not', () => {
  const crls = (status: Verdict['status'], reason: string, crlExpiry?: string): ResourceStatus =>
    resource('TrustSpace', [['CrlFresh', status, reason]], crlExpiry === undefined ? {} : { crlExpiry });
  assert.equal(told(undefined, crls('True', 'Fresh', 'monday')), ['CrlRefreshed']);
  assert.equal(told(crls('True', 'Fresh', 'monday'), crls('True', 'Fresh', 'tuesday')), ['CrlRefreshed']);
  assert.equal(told(crls('True', 'Fresh', 'monday'), crls('True', 'Fresh', 'monday')), []);
  assert.equal(told(crls('True', 'Fresh', 'monday'), crls('False', 'CrlPartial')), ['CrlRefused']);
  assert.equal(told(undefined, crls('False', 'Fetching')), ['ConditionChanged']);
});

test('each limit of a certificate is told once', () => {
  const limits = ['Valid', 'ExpiresIn30Days', 'ExpiresIn14Days', 'ExpiresIn7Days', 'ExpiresIn1Day', 'Expired'];
  const at = (reason: string): ResourceStatus =>
    resource('PacsLink', [['CertificatesReady', reason === 'Expired' ? 'False' : 'True', reason]]);
  for (const [index, reason] of limits.entries()) {
    const former = limits[index - 1];
    if (former !== undefined) assert.equal(told(at(former), at(reason)), ['CertificateExpiring'], reason);
    assert.equal(told(at(reason), at(reason)), []);
  }
  assert.equal(told(at('ExpiresIn1Day'), at('Valid')), ['ConditionChanged']);
});

test("a link: programmed, refused with Envoy's text, refused again only in other words", () => {
  const at = (status: Verdict['status'], reason: string, message = ''): ResourceStatus =>
    resource('PacsLink', [['IngressProgrammed', status, reason, message]]);
  const rejected = at('False', 'RejectedByProxy', 'the proxy said: no such cipher');
  assert.equal(told(undefined, at('True', 'Programmed')), ['LinkProgrammed']);
  const [event] = changesBetween([at('True', 'Programmed')], [rejected]);
  assert.is(event?.name, 'LinkRejected');
  assert.match(event?.name === 'LinkRejected' ? event.message : '', 'no such cipher');
  assert.equal(told(rejected, rejected), []);
  assert.equal(told(rejected, at('False', 'RejectedByProxy', 'another')), ['LinkRejected']);
  assert.equal(told(rejected, at('False', 'ProxyDown')), ['ConditionChanged']);
});

test.run();
