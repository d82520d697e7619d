/** Which changes of conditions stand beside a resource as events: with the reader of statuses that the reconciler has, and real stores. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { siteInput } from '../../infrastructure/kubernetes/site-input.testing.ts';
import type { OperatorEvent } from '../../observability/events.ts';
import { changesBetween } from '../../observability/status-changes.ts';
import { type Verdict, bad, good, ready, unknown } from '../../plan/condition.ts';
import type { ResourceStatus } from '../../plan/status.ts';
import type { EventNote } from '../../resources/kubernetes/events.ts';
import { keyOf } from '../../resources/inventory.ts';
import { type WritableStore, createStore } from '../../resources/kubernetes/store.ts';
import { clusterEvents } from './cluster-events.ts';
import type { LinkObject, SiteObject, TrustSpaceObject } from './watches.ts';

const { site } = siteInput();

function statusOf(...verdicts: readonly Verdict[]): ResourceStatus {
  return {
    kind: 'DrimboxSite',
    key: keyOf(site),
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
    conditions: [ready(verdicts), ...verdicts].map((verdict) => ({
      ...verdict,
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })),
    fields: {},
  };
}

let sites: WritableStore<SiteObject>;
let leads: boolean;
let journalled: OperatorEvent[];

test.before.each(() => {
  sites = createStore<SiteObject>();
  sites.put(site);
  leads = true;
  journalled = [];
});

/** What is told of one status after the other, the first one being the first that this operator sees. */
function told(...statuses: readonly ResourceStatus[]): string[] {
  const notes: EventNote[] = [];
  const events = clusterEvents({
    journal: { record: (event) => void journalled.push(event), events: () => [] },
    recorder: { record: (note) => void notes.push(note) },
    watches: {
      trustSpaces: { store: createStore<TrustSpaceObject>() },
      sites: { store: sites },
      links: { store: createStore<LinkObject>() },
    },
    isLeader: () => leads,
    startedAt: new Date('2026-01-02T00:00:00Z'),
  });
  for (const [index, status] of statuses.entries()) {
    const before = statuses[index - 1];
    for (const event of changesBetween(before === undefined ? [] : [before], [status])) events.record(event);
  }
  for (const { regarding } of notes) assert.is(regarding.metadata.name, site.metadata.name);
  return notes.map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
}

const fine = statusOf(good('PacsReachable', 'AllAnswer'), good('DmpReachable', 'Idle'));

test('each condition that becomes False is told with its words, and again when it is True; Ready adds only that all is well', () => {
  const broken = statusOf(
    bad('PacsReachable', 'SomeSilent', '1 of 2 PACS do not answer'),
    bad('DmpReachable', 'Refused', 'no'),
  );
  assert.equal(told(fine, broken, fine), [
    'Warning SomeSilent: PacsReachable: 1 of 2 PACS do not answer, was True',
    'Warning Refused: DmpReachable: no, was True',
    'Normal Ready: Ready, was False',
    'Normal AllAnswer: PacsReachable: True, was False',
    'Normal Idle: DmpReachable: True, was False',
  ]);
});

test('another reason is told, other words for the same and what is not known for a while are not', () => {
  const one = statusOf(bad('PacsReachable', 'SomeSilent', '1 of 2'), good('DmpReachable', 'Idle'));
  const two = statusOf(bad('PacsReachable', 'SomeSilent', '2 of 2'), unknown('DmpReachable', 'NotReported', ''));
  const three = statusOf(bad('PacsReachable', 'EchoFailed', 'no'), good('DmpReachable', 'Idle'));
  assert.equal(told(one, two, three).slice(1), ['Warning EchoFailed: PacsReachable: no, was False']);
});

test('a fault of a new resource is told; what stood there before this operator began is not, nor what passes at once', () => {
  const wrong = statusOf(bad('Accepted', 'TimeZoneUnknown', 'no such zone'), bad('CrlFresh', 'Fetching', 'wait'));
  assert.equal(told(wrong), ['Warning TimeZoneUnknown: Accepted: no such zone']);
  const stands = (lastTransitionTime: string): SiteObject => ({
    ...site,
    status: { conditions: [{ ...bad('Accepted', 'Other', ''), lastTransitionTime }] },
  });
  sites.put(stands('2026-01-01T23:59:59Z'));
  assert.equal(told(wrong), []);
  // Its own status may stand there before the event is told.
  sites.put(stands('2026-01-02T00:00:01Z'));
  assert.is(told(wrong).length, 1);
  assert.equal(told(fine), []);
});

test('a site paused or stalled is told by what made it so; a follower tells nothing; the journal hears everything', () => {
  const stalled = statusOf(bad('Accepted', 'TimeZoneUnknown', 'no such zone'));
  const conditions = [
    ...stalled.conditions,
    ...statusOf(good('Stalled', 'TimeZoneUnknown'), good('Paused', 'Paused')).conditions.slice(1),
  ];
  const next = { ...stalled, conditions };
  assert.equal(told(statusOf(good('Accepted', 'Accepted')), next), [
    'Warning TimeZoneUnknown: Accepted: no such zone, was True',
  ]);
  const heard = journalled.length;
  leads = false;
  assert.equal(told(statusOf(good('Accepted', 'Accepted')), next), []);
  assert.is(journalled.length, heard * 2);
});

test.run();
