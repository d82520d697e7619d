/** The PACS link against real PACS: Orthanc with and without Nagle's algorithm, and pynetdicom. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PacsConfig } from '../../common/contract/gateway-config.ts';
import { inventPatient } from '../../e2e/parts/studies.ts';
import { type QuickAck, off, openQuickAck } from './association/quick-ack.ts';
import { canFollow } from './create-pacs.ts';
import { type FoundStudy, type MoveProgress, PacsError } from './pacs.ts';
import {
  pool,
  ct,
  mr,
  sr,
  study,
  uid,
  linkTo,
  openBench,
  orthanc,
  peerOf,
  pynetdicom,
  collect,
  expected,
  assertSame,
  assertWholeStudy,
  failure,
  closeOpened,
  removeFiles,
} from './real-pacs.testing.ts';

for (const noDelay of [true, false]) {
  test(`Orthanc ${noDelay ? 'without' : 'with'} Nagle: echo, find, and 50 images moved byte for byte`, async () => {
    const bench = await openBench();
    const part = await orthanc(bench, `orthanc-${noDelay}`, { noDelay });
    const pacs = bench.pacs(peerOf(part));
    assert.ok((await pacs.echo()) > 0);
    assertWholeStudy(await pacs.findStudy(study));
    assert.is(await pacs.findStudy(uid('2.25.404')), undefined);
    const lease = await pacs.leaseAeTitle();
    const received = collect(lease);
    const progress: MoveProgress[] = [];
    const outcome = await pacs.moveSeries({ lease, study, series: uid(ct.seriesUid) }, (step) => progress.push(step));
    assertSame(received, ct);
    assert.is(outcome.completed, 50);
    assert.is(outcome.status, 0);
    assert.ok(progress.length > 0 && progress.every((step) => step.failed === 0));
    lease.release();
  });
}

test('a PACS said to be elsewhere while it sends: the series arrives whole, the next operation goes there', async () => {
  const bench = await openBench();
  const peer = peerOf(await orthanc(bench, 'orthanc-moved', { noDelay: true }));
  const pacs = bench.pacs(peer);
  const elsewhere = linkTo({ ...peer, port: 1 });
  assert.ok(canFollow(linkTo(peer), elsewhere));
  const lease = await pacs.leaseAeTitle();
  const received = collect(lease);
  let told = false;
  await pacs.moveSeries({ lease, study, series: uid(ct.seriesUid) }, () => {
    if (!told) pacs.follow(elsewhere);
    told = true;
  });
  assert.ok(told);
  assertSame(received, ct);
  lease.release();
  assert.is((await failure(pacs.echo())).kind, 'unreachable');
});

test('other titles of our own are another link', () => {
  const link = linkTo({ host: 'pacs.test', port: 104, aeTitle: 'PACS' });
  assert.not.ok(canFollow(link, { ...link, aeTitlePool: [...link.aeTitlePool, 'ANOTHER'] }));
  assert.not.ok(canFollow(link, { ...link, callingAeTitle: 'ANOTHER' }));
  assert.not.ok(canFollow(link, { ...link, maxConcurrentMoves: 1 }));
  assert.ok(canFollow(link, { ...link, excludedSopInstanceRoots: ['1.2'] }));
});

test('relational and hierarchical queries of Orthanc find the same', async () => {
  const bench = await openBench();
  const part = await orthanc(bench, 'orthanc-relational', { noDelay: true });
  const find = async (relationalQueries: PacsConfig['relationalQueries']): Promise<FoundStudy | undefined> => {
    const pacs = bench.pacs(peerOf(part), { relationalQueries });
    const found = await pacs.findStudy(study);
    await pacs.close();
    return found;
  };
  const [always, never] = [await find('always'), await find('never')];
  assertWholeStudy(always);
  assertWholeStudy(never);
  assert.is(always?.query, 'relational');
  assert.is(never?.query, 'hierarchical');
});

test('SOP classes that Orthanc leaves empty at IMAGE level are found all the same', async () => {
  const bench = await openBench();
  const part = await orthanc(bench, 'orthanc-sop-classes', { noDelay: true, onFind: 'Never' });
  const pacs = bench.pacs(peerOf(part));
  assertWholeStudy(await pacs.findStudy(study));
});

test('two C-MOVEs at once on two AE titles never mix', async () => {
  const bench = await openBench();
  const part = await orthanc(bench, 'orthanc-two', { noDelay: true });
  const pacs = bench.pacs(peerOf(part));
  await Promise.all(
    [ct, mr].map(async (series) => {
      const lease = await pacs.leaseAeTitle();
      const received = collect(lease);
      await pacs.moveSeries({ lease, study, series: uid(series.seriesUid) });
      assertSame(received, series);
      lease.release();
    }),
  );
});

test('TCP_QUICKACK takes the 40 ms away that Nagle costs', async () => {
  const quick = openQuickAck();
  assert.is(quick.mode, 'on', `optional on other systems, measured here: ${quick.reason}`);
  const echo = async (quickAck: QuickAck, name: string): Promise<number> => {
    const bench = await openBench(quickAck);
    const part = await orthanc(bench, name, { noDelay: false });
    const pacs = bench.pacs(peerOf(part));
    const times: number[] = [];
    for (let index = 0; index < 9; index++) times.push(await pacs.echo());
    return times.sort((a, b) => a - b)[4] ?? 0;
  };
  const [slow, fast] = [await echo(off('to compare'), 'nagle-slow'), await echo(quick, 'nagle-fast')];
  // A ratio, not a wall time: the delayed acknowledgement is the kernel's 40 ms, whatever the machine.
  assert.ok(slow > fast, `median echo ${slow} ms without, ${fast} ms with TCP_QUICKACK`);
});

test('an aborted C-MOVE ends at once, gives the title back, and the PACS stays usable', async () => {
  const bench = await openBench();
  const part = await pynetdicom(bench, 'abort', { waitBetweenSeconds: 0.05 });
  const pacs = bench.pacs(part, { aeTitlePool: ['DRIM1'], maxConcurrentMoves: 1 });
  const abort = new AbortController();
  const lease = await pacs.leaseAeTitle();
  const received = collect(lease);
  const moving = failure(pacs.moveSeries({ lease, study, series: uid(ct.seriesUid) }, undefined, abort.signal));
  while (received.size < 3) await sleep(10);
  abort.abort(new Error('the client is gone'));
  assert.is((await moving).kind, 'timeout');
  lease.release();
  const before = received.size;
  const next = await pacs.leaseAeTitle();
  const second = collect(next);
  assert.is((await pacs.moveSeries({ lease: next, study, series: uid(sr.seriesUid) })).completed, 1);
  assertSame(second, sr);
  assert.is(received.size, before, 'nothing came after the release');
  next.release();
});

test('a PACS that dies in the middle of a C-MOVE is a lost connection, and the open instance breaks', async () => {
  const bench = await openBench();
  const part = await pynetdicom(bench, 'dies', { dropAfter: 5 });
  const pacs = bench.pacs(part);
  const lease = await pacs.leaseAeTitle();
  const received = collect(lease);
  const error = await failure(pacs.moveSeries({ lease, study, series: uid(ct.seriesUid) }));
  assert.is(error.kind, 'unreachable');
  assert.ok(received.size <= 5);
  for (const [sop, hash] of received) assert.is(expected(ct).get(sop), hash);
  lease.release();
  assert.is((await failure(pacs.echo())).kind, 'unreachable');
  assert.ok(bench.events.some((event) => event.name === 'MoveFailed'));
});

test('pynetdicom: hierarchical find, and a move of its own', async () => {
  const bench = await openBench();
  const part = await pynetdicom(bench, 'plain');
  const pacs = bench.pacs(part);
  const found = await pacs.findStudy(study);
  assertWholeStudy(found);
  assert.is(found?.query, 'hierarchical');
  assert.equal(found?.otherPatientIds, [
    { id: inventPatient(1).matricule, issuer: '', issuerOid: '1.2.250.1.213.1.4.8' },
  ]);
  const lease = await pacs.leaseAeTitle();
  const received = collect(lease);
  assert.is((await pacs.moveSeries({ lease, study, series: uid(ct.seriesUid) })).completed, 50);
  assert.is(received.size, 50);
  lease.release();
});

test('a PACS that will not relate is asked per series even when told "always"', async () => {
  const bench = await openBench();
  const part = await pynetdicom(bench, 'always');
  const pacs = bench.pacs(part, { relationalQueries: 'always' });
  const found = await pacs.findStudy(study);
  assertWholeStudy(found);
  assert.is(found?.query, 'hierarchical');
});

test('failure status, silence, wrong title and an unknown destination each have their own error', async () => {
  const bench = await openBench();
  const fails = await pynetdicom(bench, 'fails', { failStatus: 0xa702 });
  const pacs = bench.pacs(fails);
  const lease = await pacs.leaseAeTitle();
  collect(lease);
  const error = await failure(pacs.moveSeries({ lease, study, series: uid(ct.seriesUid) }));
  assert.equal([error.kind, error.status], ['failure', 0xa702]);
  await pacs.close();
  const wrongTitle = bench.pacs({ ...fails, aeTitle: 'NOBODY' });
  assert.is((await failure(wrongTitle.echo())).kind, 'rejected');
  await wrongTitle.close();
  const unknown = bench.pacs(fails, { aeTitlePool: ['DRIMX'] });
  const strange = await unknown.leaseAeTitle();
  const refused = await failure(unknown.moveSeries({ lease: strange, study, series: uid(ct.seriesUid) }));
  assert.equal([refused.kind, refused.status], ['failure', 0xa801]);
  await unknown.close();
  const silent = await pynetdicom(bench, 'silent', { waitBeforeSeconds: 30 });
  const patient = bench.pacs(silent, { responseTimeoutMs: 300 });
  const held = await patient.leaseAeTitle();
  collect(held);
  assert.is((await failure(patient.moveSeries({ lease: held, study, series: uid(ct.seriesUid) }))).kind, 'timeout');
});

test('60 C-MOVEs given up at random moments leave no association and no AE title behind', async () => {
  const bench = await openBench();
  const part = await orthanc(bench, 'orthanc-aborts', { noDelay: true });
  const pacs = bench.pacs(peerOf(part));
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const lease = await pacs.leaseAeTitle();
      const received = collect(lease);
      const abort = new AbortController();
      // From before the association to after the end, spread evenly.
      setTimeout(() => abort.abort(new Error('gone')), index * 1.5);
      try {
        await pacs.moveSeries({ lease, study, series: uid(ct.seriesUid) }, undefined, abort.signal);
        assertSame(received, ct);
        return 'whole';
      } catch (error) {
        assert.ok(error instanceof PacsError && error.kind === 'timeout', String(error));
        for (const [sop, hash] of received) assert.is(hash, expected(ct).get(sop), sop);
        return 'given up';
      } finally {
        lease.release();
      }
    }),
  );
  assert.ok(outcomes.includes('given up'));
  // All three titles can be had at once again, and a move on each is whole.
  const leases = await Promise.all(pool.map(async () => await pacs.leaseAeTitle()));
  await Promise.all(
    leases.map(async (lease) => {
      const received = collect(lease);
      await pacs.moveSeries({ lease, study, series: uid(mr.seriesUid) });
      assertSame(received, mr);
      lease.release();
    }),
  );
  for (let tries = 0; bench.receiver.associations > 0 && tries < 200; tries++) await sleep(25);
  assert.is(bench.receiver.associations, 0);
});

test.after.each(async () => await closeOpened());
test.after(async () => await removeFiles());

test.run();
