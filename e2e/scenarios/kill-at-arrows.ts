/**
 * The gateway is killed by SIGKILL at each arrow between inbox and DMP, on a real PACS and a strict DMP. The RIS does what a RIS does:
 * a message without its acknowledgement is sent again. Each KOS must be in the DMP exactly once.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arrowNames } from '../../common/contract/publication-arrows.ts';
import type { DmpEntry } from '../parts/dmp.ts';
import type { Part } from '../parts/process.ts';
import { reportMessage } from '../parts/reports.ts';
import { sendMllp } from '../parts/ris.ts';
import { openSite } from './site.ts';

export interface Killing {
  /** Of the site's folder. */
  readonly name: string;
  /** More than one: the archive is in PostgreSQL, and the other gateways do not run. */
  readonly replicas: number;
  /** At each arrow. */
  readonly times: number;
}

/** Declares the tests; the caller runs them. */
export async function killAtArrows({ name, replicas, times }: Killing): Promise<void> {
  const site = await openSite(name, replicas);
  const { gateway, dmp } = site;
  const plugFile = join(site.directory, 'plug');
  const life: { part: Part | undefined } = { part: undefined };
  // One life that ends in order leaves what Node compiled to all that follow: those that are killed leave nothing (NODE_COMPILE_CACHE).
  await (await gateway.start()).stop();

  test.after(async () => {
    await life.part?.stop();
    await site.close();
  });

  async function alive(): Promise<void> {
    life.part ??= await gateway.start(plugFile);
  }

  /** As a RIS: sends until it is acknowledged. */
  async function deliver(message: Buffer): Promise<number> {
    for (let sent = 1; ; sent++) {
      try {
        const ack = await sendMllp('127.0.0.1', gateway.config.listeners.mllp.port, message);
        assert.match(ack.toString(), 'MSA|AA');
        return sent;
      } catch (error) {
        if (error instanceof assert.Assertion || sent === 5) throw error;
        await restart();
      }
    }
  }

  async function restart(): Promise<void> {
    const { part } = life;
    if (part) await part.ended;
    life.part = undefined;
    await alive();
  }

  async function untilPublished(study: string): Promise<void> {
    const { part } = life;
    const state: { ended: boolean } = { ended: false };
    void part?.ended.then(() => (state.ended = true));
    for (let n = 0; n < 2_000; n++) {
      if (state.ended) {
        await restart();
        await untilPublished(study);
        return;
      }
      const { publications } = await gateway
        .status()
        .catch(() => ({ publications: { queued: 1 } as Record<string, number> }));
      const open = (publications['queued'] ?? 0) + (publications['built'] ?? 0);
      if (open === 0 && kosOf(study).length > 0) return;
      await sleep(20);
    }
    throw new Error(
      `the KOS of ${study} never reached the DMP\n${part?.log().split('\n').slice(-10).join('\n') ?? ''}`,
    );
  }

  const kosOf = (study: string): readonly DmpEntry[] => site.kosOf(study);

  for (const [index, arrow] of arrowNames.entries()) {
    test(`killed at ${arrow}, ${times} times: published exactly once`, async () => {
      for (let n = 0; n < times; n++) {
        const studyUid = `2.25.77${index}${String(n).padStart(3, '0')}1`;
        await site.putStudy(studyUid);
        await alive();
        writeFileSync(plugFile, arrow);
        const message = reportMessage(site.report(studyUid));
        const before = life.part?.pid;
        await deliver(message);
        await untilPublished(studyUid);
        await settled(before);
        const entries = kosOf(studyUid);
        assert.is(entries.length, 1, `${arrow}, ${n}: ${entries.length} KOS in the DMP`);
        assert.is(entries[0]?.status, 'approved');
        const submissions = dmp.submissions().filter((one) => one.entries.includes(entries[0]?.entryUuid ?? ''));
        assert.is(submissions.length, 1, `${arrow}, ${n}: ${submissions.length} submissions`);
      }
    });
  }

  /** The plug was really pulled: the gateway of before is gone, another one did the rest. */
  async function settled(before: number | undefined): Promise<void> {
    for (let n = 0; n < 500 && life.part?.pid === before; n++) {
      const ended = await Promise.race([life.part?.ended.then(() => true), sleep(20).then(() => false)]);
      if (ended === true) await restart();
    }
    assert.is.not(life.part?.pid, before, 'the gateway was killed');
  }
}
