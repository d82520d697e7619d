/** Programs kept running: real processes, and the waits as a pure function. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restartDelayMs } from './back-off.ts';
import { openRegister } from './register.ts';
import type { Program } from './program.ts';
import { type Supervisor, createSupervisor } from './supervisor.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-supervisor-'));
test.after(() => rmSync(folder, { recursive: true }));

const events: { readonly name: string; readonly what: string; readonly delayMs?: number }[] = [];

function make(): Supervisor {
  events.length = 0;
  return createSupervisor({
    random: () => 0,
    now: () => performance.now(),
    onEvent: (event) => void events.push(event),
  });
}

function program(name: string, script: string): Program {
  const args = ['-e', script];
  return { name, command: process.execPath, args, logFile: join(folder, `${name}.log`), stopTimeoutMs: 200 };
}

async function until(look: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 400 && !look(); attempt += 1) await sleep(25);
  assert.ok(look(), JSON.stringify(events));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH
  }
}

test('waits double up to a minute, with jitter, and a wished-for restart waits not at all', () => {
  const delays = [0, 1, 2, 3, 10, 1000].map((failures) => restartDelayMs(failures, '1', 0.999_999));
  assert.equal(delays, [500, 1000, 2000, 4000, 60_000, 60_000]);
  assert.is(restartDelayMs(3, 'SIGKILL', 0), 2000);
  assert.is(restartDelayMs(5, '75', 0.5), 0);
});

test('the same program again is left alone; another command replaces it', async () => {
  const supervisor = make();
  const loop = program('same', 'setInterval(() => {}, 1000)');
  supervisor.ensure(loop);
  const first = supervisor.state('same')?.pid;
  supervisor.ensure({ ...loop });
  assert.is(supervisor.state('same')?.pid, first);
  supervisor.ensure(program('same', 'setInterval(() => {}, 2000)'));
  await until(() => supervisor.state('same')?.running === true && supervisor.state('same')?.pid !== first);
  assert.not.ok(isAlive(first ?? 0));
  await supervisor.remove('same');
  assert.is(supervisor.state('same'), undefined);
});

test('a program that dies again and again waits longer each time, and its words are in its log', async () => {
  const supervisor = make();
  supervisor.ensure(program('dying', 'console.log("born"); process.exit(3)'));
  await until(() => events.filter(({ what }) => what === 'ended (3)').length >= 3);
  await supervisor.remove('dying');
  assert.equal(
    events
      .filter(({ what }) => what === 'ended (3)')
      .slice(0, 3)
      .map(({ delayMs }) => delayMs),
    [250, 500, 1000],
  );
  assert.match(readFileSync(join(folder, 'dying.log'), 'utf8'), /born\nborn\n/);
  const count = events.length;
  await sleep(50);
  assert.is(events.length, count, 'a removed program came back');
});

test('a program that will not stop is ended', async () => {
  const supervisor = make();
  supervisor.ensure(
    program('stubborn', 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)'),
  );
  const pid = supervisor.state('stubborn')?.pid ?? 0;
  await until(() => readFileSync(join(folder, 'stubborn.log'), 'utf8').includes('up'));
  await supervisor.remove('stubborn');
  assert.not.ok(isAlive(pid));
  assert.ok(events.some(({ what }) => what === 'stopped (SIGKILL)'));
});

test('a program made again while the former one ends waits for its end', async () => {
  const supervisor = make();
  const script = 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)';
  supervisor.ensure(program('again', script));
  const first = supervisor.state('again')?.pid ?? 0;
  await until(() => readFileSync(join(folder, 'again.log'), 'utf8').includes('up'));
  const gone = supervisor.remove('again');
  supervisor.ensure(program('again', script));
  assert.is(supervisor.state('again')?.running, false);
  await gone;
  assert.not.ok(isAlive(first));
  await until(() => supervisor.state('again')?.running === true);
  await supervisor.remove('again');
  await supervisor.settled();
});

test('a command that does not exist is said, not thrown', async () => {
  const supervisor = make();
  supervisor.ensure({ ...program('absent', ''), command: '/nonexistent/program' });
  await until(() => (supervisor.state('absent')?.restarts ?? 0) > 0);
  await supervisor.remove('absent');
});

test('when the one who started it is killed, the program is gone too', async () => {
  const script = `
    import { createSupervisor } from ${JSON.stringify(join(import.meta.dirname, 'supervisor.ts'))};
    const s = createSupervisor({ random: () => 0, now: () => 0, onEvent: (e) => e.pid && console.log(e.pid) });
    s.ensure(${JSON.stringify(program('orphan', 'setInterval(() => {}, 1000)'))});
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (data: Buffer) => resolve(Number(data))),
  );
  await sleep(100); // setpriv becomes the program
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid));
});

/** One that lives on, and a supervisor that may take over what the one before it left. */
function leaving(file: string): Supervisor {
  return createSupervisor({
    random: () => 0,
    now: () => performance.now(),
    register: openRegister(file),
    leaveRunning: true,
    onEvent: (event) => void events.push(event),
  });
}

test('what one supervisor leaves running the next one takes over when it is unchanged, replaces when not, ends when unwanted', async () => {
  const file = join(folder, 'processes.json');
  const forever = 'setInterval(() => {}, 1000)';
  const names = ['same', 'changed', 'unwanted'];
  const former = leaving(file);
  for (const name of names) former.ensure(program(name, forever));
  const pids = names.map((name) => former.state(name)?.pid ?? 0);
  former.release();
  const next = leaving(file);
  next.ensure(program('same', forever));
  next.ensure(program('changed', `${forever};`));
  next.endUnclaimed();
  assert.is(next.state('same')?.pid, pids[0]);
  await until(() => next.state('changed')?.running === true);
  await next.settled();
  assert.equal(pids.map(isAlive), [true, false, false]);
  process.kill(pids[0] ?? 0, 'SIGKILL');
  await until(() => ![undefined, pids[0]].includes(next.state('same')?.pid));
  for (const name of next.names()) await next.remove(name);
  assert.equal([...openRegister(file).read()], []);
});

test('a number that went to another process is not taken for the program', async () => {
  const file = join(folder, 'reused.json');
  const former = leaving(file);
  former.ensure(program('once', 'setInterval(() => {}, 1000)'));
  const [entry] = openRegister(file).read().values();
  if (entry === undefined) throw new Error('nothing was written');
  openRegister(file).write(new Map([['once', { ...entry, startTime: '1' }]]));
  assert.equal([...openRegister(file).read()], []);
  openRegister(file).write(new Map([['once', { ...entry, boot: 'another' }]]));
  assert.equal([...openRegister(file).read()], []);
  await former.remove('once');
});

test.run();
