import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patients } from '../../e2e/parts/patients.ts';
import { createDmpClient } from './client.ts';
import { dmpWorld, files, identity, professional, removalOf, submission, user } from './dmp.testing.ts';
import { entryUuidOf } from './entry-uuid.ts';
import type { DmpClient, DmpOutcome } from './submission.ts';

const world = await dmpWorld();
const { dmp } = world;
const client: DmpClient = createDmpClient(world.config, { now: () => new Date() });

test.before.each(() => dmp.setFault(undefined));
test.after(async () => {
  await client.close();
  await world.close();
});

test('a KOS is published, found, replaced and removed', async () => {
  const first = submission();
  const published = await client.publish(first);
  assert.equal(published, {
    kind: 'published',
    entryUuid: entryUuidOf(first.entry.uniqueId),
    alreadyRegistered: false,
  });
  assert.ok(dmp.document(first.entry.uniqueId).equals(first.kos));
  const entryUuid = entryUuidOf(first.entry.uniqueId);
  const second = submission({ replaces: entryUuid });
  assert.is((await client.publish(second)).kind, 'published');
  assert.is(dmp.entries().find((entry) => entry.entryUuid === entryUuid)?.status, 'deprecated');
  const found = await client.findEntryUuid(second.entry.uniqueId, user, second.entry.patient);
  assert.equal(found, { kind: 'found', entryUuid: entryUuidOf(second.entry.uniqueId) });
  assert.equal(await client.remove(removalOf(second, entryUuidOf(second.entry.uniqueId))), { kind: 'removed' });
  assert.equal(await client.findEntryUuid(second.entry.uniqueId, user, second.entry.patient), { kind: 'absent' });
  assert.equal(dmp.approvedKos(), []);
});

test('the same uniqueId again: already registered, once in the registry', async () => {
  const one = submission();
  dmp.setFault({ kind: 'drop-after', times: 1, operation: 'ITI-41' });
  const lost = await client.publish(one);
  assert.is(lost.kind, 'unavailable');
  const again = await client.publish(one);
  assert.equal(again, { kind: 'published', entryUuid: entryUuidOf(one.entry.uniqueId), alreadyRegistered: true });
  assert.is(dmp.entries().filter(({ uniqueId }) => uniqueId === one.entry.uniqueId).length, 1);
});

test('a replacement whose answer was lost: already registered, the old one deprecated once', async () => {
  const old = submission();
  await client.publish(old);
  const next = submission({ replaces: entryUuidOf(old.entry.uniqueId) });
  dmp.setFault({ kind: 'drop-after', times: 1, operation: 'ITI-41' });
  assert.is((await client.publish(next)).kind, 'unavailable');
  assert.equal(await client.publish(next), {
    kind: 'published',
    entryUuid: entryUuidOf(next.entry.uniqueId),
    alreadyRegistered: true,
  });
});

const outcomes = [
  { fault: 'unavailable', kind: 'unavailable', code: undefined },
  { fault: 'busy', kind: 'unavailable', code: undefined },
  { fault: 'drop-before', kind: 'unavailable', code: undefined },
  { fault: 'failure-inside', kind: 'refused', code: 'E007' },
  { fault: 'unknown-patient', kind: 'refused', code: 'E006' },
] as const;

for (const { fault, kind, code } of outcomes)
  test(`trouble at the DMP: ${fault} is ${kind} ${code ?? ''}`, async () => {
    dmp.setFault({ kind: fault });
    const one = submission();
    const all = [
      await client.publish(one),
      await client.remove(removalOf(one, entryUuidOf(one.entry.uniqueId))),
      await client.findEntryUuid(one.entry.uniqueId, user, one.entry.patient),
    ];
    for (const outcome of all) {
      assert.is(outcome.kind, kind);
      assert.is('code' in outcome ? outcome.code : undefined, code);
    }
    assert.not(dmp.entries().some(({ uniqueId }) => uniqueId === one.entry.uniqueId));
  });

test('a DMP that refuses connections, or is slower than the patience configured, is unavailable; then it works', async () => {
  const one = submission();
  await dmp.pause();
  assert.is((await client.publish(one)).kind, 'unavailable');
  await dmp.resume();
  const hasty = createDmpClient({ ...world.config, timeoutMs: 300 }, { now: () => new Date() });
  dmp.setFault({ kind: 'slow', delayMs: 1_500, operation: 'ITI-41' });
  assert.is((await hasty.publish(submission())).kind, 'unavailable');
  await hasty.close();
  dmp.setFault(undefined);
  assert.is((await client.publish(one)).kind, 'published');
});

test('an aborted call is unavailable: nobody knows what the DMP did', async () => {
  const outcome = await client.publish(submission(), AbortSignal.abort());
  assert.is(outcome.kind, 'unavailable');
});

test('a structure without certificates is refused by its name and nothing is sent', async () => {
  const before = dmp.requests().length;
  const stranger = { ...professional, organization: { id: '3111111111', name: 'AUTRE' } };
  const outcome: DmpOutcome = await client.publish(submission({ professional: stranger }));
  assert.is(outcome.kind === 'refused' && outcome.code, 'E007');
  assert.match(outcome.kind === 'refused' ? outcome.detail : '', '3111111111');
  assert.is(dmp.requests().length, before);
});

test('a professional without profession is refused naming him; a forbidden character too', async () => {
  const { specialty: _, ...plain } = professional;
  const outcome = await client.publish(submission({ professional: plain }));
  assert.match(outcome.kind === 'refused' ? outcome.detail : '', /899999999901.*assignedEntity\/code/);
  const one = submission();
  const hostile = { ...one, entry: { ...one.entry, patient: { ...one.entry.patient, birthFamily: 'A\u0000B' } } };
  const refused = await client.publish(hostile);
  assert.match(refused.kind === 'refused' ? refused.detail : '', 'U+0000');
});

test('hostile names arrive as they are, never as markup or as another component', async () => {
  const patient = { ...identity(patients.accented), birthFamily: `D'O<b>&amp;"^~|\\]]>Ÿ`, firstBirthGiven: '🩻&#x41;' };
  const one = submission();
  const hostile = { ...one, entry: { ...one.entry, patient: { ...patient, matricule: one.entry.patient.matricule } } };
  assert.is((await client.publish(hostile)).kind, 'published');
  const arrived = dmp.entries().find(({ uniqueId }) => uniqueId === one.entry.uniqueId)?.xml ?? '';
  const [, name = ''] = /<rim:Value>(PID-5[^<]*)<\/rim:Value>/.exec(arrived) ?? [];
  const read = name.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  assert.is(read, `PID-5|D'O<b>\\T\\amp;"\\S\\\\R\\\\F\\\\E\\]]>Ÿ^🩻\\T\\#x41;^^^^^L`);
});

test('all invented patients, Corsicans included, are published', async () => {
  for (const patient of Object.values(patients)) {
    const outcome = await client.publish(submission({ patient: identity(patient) }));
    assert.is(outcome.kind, 'published', JSON.stringify(outcome));
  }
});

test('what the patient masked is absent', async () => {
  const one = submission();
  await client.publish(one);
  dmp.hide(one.entry.uniqueId);
  assert.equal(await client.findEntryUuid(one.entry.uniqueId, user, one.entry.patient), { kind: 'absent' });
});

test('a DMP we do not trust, and a DMP that does not trust us, are unavailable, with the reason', async () => {
  const foreign = await world.pki.issue({
    commonName: 'CABINET ESSAI',
    organizationalUnit: '1999999999',
    kind: 'AUTH_CLI',
    issuer: world.pki.foreign,
  });
  const [structure] = world.config.structures;
  if (structure === undefined) throw new Error('no structure');
  const intruder = createDmpClient(
    {
      ...world.config,
      structures: [
        {
          ...structure,
          authentication: { certificateFile: foreign.certificateFile, keyFile: foreign.keyFile },
        },
      ],
    },
    { now: () => new Date() },
  );
  assert.is((await intruder.publish(submission())).kind, 'unavailable');
  await intruder.close();
  const elsewhere = createDmpClient(
    { ...world.config, trustFile: world.pki.foreign.certificateFile },
    { now: () => new Date() },
  );
  const outcome = await elsewhere.publish(submission());
  assert.is(outcome.kind, 'unavailable');
  assert.match(outcome.kind === 'unavailable' ? outcome.detail : '', /certificate/);
  await elsewhere.close();
});

test('each structure speaks with its own certificates', async () => {
  const id = '3333333333';
  const of = { commonName: 'AUTRE CABINET', organizationalUnit: id } as const;
  const authentication = files(await world.pki.issue({ ...of, kind: 'AUTH_CLI' }));
  const signature = files(await world.pki.issue({ ...of, kind: 'SIGN' }));
  const both = createDmpClient(
    {
      ...world.config,
      structures: [...world.config.structures, { structureId: id, authentication, signature }],
    },
    { now: () => new Date() },
  );
  const elsewhere = { ...professional, organization: { id, name: 'Autre cabinet d’essai' } };
  assert.is((await both.publish(submission())).kind, 'published');
  assert.is((await both.publish(submission({ professional: elsewhere }))).kind, 'published');
  assert.equal(
    dmp
      .submissions()
      .slice(-2)
      .map(({ structure }) => structure),
    ['1999999999', id],
  );
  await both.close();
});

test('nothing older than TLS 1.2, and no cipher without forward secrecy, is spoken', async () => {
  const offers = [
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-SHA384' },
  ] as const;
  for (const offer of offers) {
    const seen: string[] = [];
    const server = createServer(
      {
        cert: readFileSync(world.dmpConfig.certificateFile),
        key: readFileSync(world.dmpConfig.keyFile),
        ...offer,
      },
      () => seen.push('request'),
    );
    server.on('tlsClientError', ({ message }) => seen.push(message));
    const port = await new Promise<number>((resolve, reject) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (typeof address === 'object' && address) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
    const modern = createDmpClient({ ...world.config, url: `https://localhost:${port}` }, { now: () => new Date() });
    assert.is((await modern.publish(submission())).kind, 'unavailable');
    assert.ok(seen.length > 0 && !seen.includes('request'), `${JSON.stringify(offer)}: ${seen.join()}`);
    assert.match(seen.join(), /protocol|cipher/);
    await modern.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

test.run();
