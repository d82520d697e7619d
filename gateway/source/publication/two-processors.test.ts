/**
 * Two gateways on one archive that both believe they are on duty, as for a moment when one froze: each message is planned once, each
 * job ends once, whoever is first.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aReport, aStudy, reportMessage } from '../../../e2e/parts/reports.ts';
import { openTestDatabase, startTestServer } from '../archive/postgres/server.testing.ts';
import { startRunner } from './runner.ts';
import { found, memoryDmp, memoryPacs, openWorld } from './saga-world.testing.ts';

const server = await startTestServer();
const config = await server.newDatabase();
const databases = [await openTestDatabase(config), await openTestDatabase(config)];
const shared = { pacs: memoryPacs('pacs1'), dmp: memoryDmp() };
const worlds = databases.map((database) => openWorld(database, shared));

const runners = worlds.map(({ jobs, step, events, clock }) =>
  startRunner({
    jobs,
    step,
    journal: { record: (event) => void events.push(event) },
    concurrency: 4,
    onDuty: () => true,
    now: () => clock.at,
  }),
);

test.after(async () => {
  for (const runner of runners) await runner.stop(1_000);
  for (const database of databases) await database.close();
  await server.close();
});

const reports = 30;
const studyOf = (n: number): string => `2.25.44${String(n).padStart(3, '0')}1`;

test('thirty reports, two processors: planned once, published once, archived once', async () => {
  const all = Array.from({ length: reports }, (_, n) => studyOf(n));
  for (const study of all) shared.pacs.studies.set(study, found(study));
  await Promise.all(
    all.map(async (study, n) => {
      const message = reportMessage(
        aReport({
          controlId: `M${n}`,
          cda: { id: `${study}.9`, studies: [{ ...aStudy, studyInstanceUid: study }] },
        }),
      );
      const answers = await Promise.all(worlds.map((world) => world.sendBytes(message)));
      assert.equal(answers, ['AA', 'AA']);
      for (const { desk } of worlds) desk.wake();
      for (const runner of runners) runner.wake();
    }),
  );
  const [first] = worlds;
  for (let tries = 0; (await first?.states())?.['published'] !== reports; tries++) {
    if (tries === 1_000) throw new Error(JSON.stringify(await first?.states()));
    for (const runner of runners) runner.wake();
    await sleep(20);
  }

  assert.equal(await first?.states(), { published: reports });
  assert.is(shared.dmp.entries.size, reports);
  const events = worlds.flatMap((world) => world.events);
  const count = (name: string): number => events.filter((event) => event.name === name).length;
  assert.is(count('ReportUnderstood'), reports);
  assert.is(count('KosPublished'), reports);
  assert.equal(
    events.filter(({ name }) => name === 'InternalError'),
    [],
  );
  const notOnce = await databases[0]?.query(`SELECT study_uid FROM lineage GROUP BY study_uid HAVING count(*) <> 1`);
  assert.equal(notOnce, []);
});

test.run();
