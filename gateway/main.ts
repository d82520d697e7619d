/**
 * The gateway of one site.
 *
 * usage: main.ts --config FILE
 * Environment: POD_INDEX, which of the site's gateways this is, from 0; only where `replicas` is above 1.
 *
 * Follows FILE; stops in order on SIGTERM and SIGINT. Exit codes: 0 stopped, 1 could not start, 2 wrong usage,
 * 75 a new configuration needs a restart (a listener or the storage moved): whoever started it starts it again.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { GatewayConfig } from '../common/contract/gateway-config.ts';
import { readGatewayConfig } from '../common/contract/read-gateway-config.ts';
import { createLog, type Log } from '../common/observability/log.ts';
import { openPages, type Pages } from './admin/pages.ts';
import { watchConfig } from './config-watch.ts';
import { placeOf } from './place.ts';
import { ArchiveUnavailable } from './source/archive/unavailable.ts';
import { openWings, type Wings } from './wings.ts';

/** Longest wait for series under way when stopping: the exam of DB.SO.100 on a slow line. */
const graceMs = 120_000;
const restartNeeded = 75;

function readArguments(): string {
  const { values } = parseArgs({
    options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.config === undefined || values.help) {
    process.stderr.write('usage: main.ts --config FILE\n');
    process.exit(values.help ? 0 : 2);
  }
  return values.config;
}

function load(file: string): { readonly text: string; readonly config: GatewayConfig } {
  const text = readFileSync(file, 'utf8');
  const reading = readGatewayConfig(text);
  if (!reading.ok)
    throw new Error(`${file}: ${reading.faults.map(({ path, message }) => `${path || '/'} ${message}`).join('; ')}`);
  return { text, config: reading.config };
}

/** What can't be exchanged while serving. */
function fixedPart(config: GatewayConfig): string {
  const { mllp, dimse, wado, viewer, admin } = config.listeners;
  const where = [
    mllp,
    dimse,
    admin,
    { host: wado.host, port: wado.port, mode: wado.tls.mode },
    { host: viewer.host, port: viewer.port, mode: viewer.tls.mode },
  ];
  const { directory, postgres } = config.storage;
  // the files of password and trust change under work: a rotation ends nothing
  const server = postgres && [postgres.host, postgres.port, postgres.database, postgres.user];
  return JSON.stringify([where, directory, server, config.site, config.environment]);
}

async function run(file: string): Promise<void> {
  const { text, config } = load(file);
  const log = createLog(config.log.level, { site: `${config.site.namespace}/${config.site.name}` });
  const wings = await openWings(config, placeOf(config, podIndex()), log);
  const pages = await openPages(config, wings);
  const stop = stopper(wings, pages);
  const watch = watchConfig(file, text, {
    accepted: async (next, again) => {
      if (fixedPart(next) !== fixedPart(config)) {
        wings.journal.record({ name: 'GatewayStopping', signal: 'a listener, the storage or the site changed' });
        await stop(restartNeeded);
        return true;
      }
      return await apply(next, { wings, pages, log, again });
    },
    refused: (revision, faults) => {
      const [first] = faults;
      const path = first?.path ?? '';
      const rule = faults.map(({ path: at, message }) => `${at} ${message}`.trim()).join('; ');
      pages.configRefused({ revision, path, message: rule });
      wings.journal.record({ name: 'ConfigRefused', revision, path, rule });
    },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      watch.stop();
      wings.journal.record({ name: 'GatewayStopping', signal });
      void stop(0);
    });
  }
  wings.journal.record({ name: 'GatewayStarted', revision: config.revision });
}

function podIndex(): string | undefined {
  return process.env['POD_INDEX'];
}

interface Running {
  readonly wings: Wings;
  readonly pages: Pages;
  readonly log: Log;
  /** It was tried before and refused: not told twice. */
  readonly again: boolean;
}

/** False when something it names can't be used now; what is in force stays. */
async function apply(next: GatewayConfig, { wings, pages, log, again }: Running): Promise<boolean> {
  try {
    await wings.exchangeArchive(next);
    await wings.parts.exchange(next);
    wings.retrieve.reloadTls(next.listeners.wado.tls);
    pages.apply(next);
    await wings.whitelist.reload(next.whitelist);
    await wings.pacsWatch.echoAll();
    log.setLevel(next.log.level);
    wings.journal.record({ name: 'ConfigLoaded', revision: next.revision });
    wings.runner.wake();
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (again) return false;
    const path = error instanceof ArchiveUnavailable ? '/storage/postgres' : '';
    pages.configRefused({ revision: next.revision, path, message });
    wings.journal.record({ name: 'ConfigRefused', revision: next.revision, path, rule: message });
    return false;
  }
}

function stopper(wings: Wings, pages: Pages): (code: number) => Promise<void> {
  const state = { stopping: false };
  return async (code) => {
    if (state.stopping) return;
    state.stopping = true;
    await pages.close();
    await wings.stop(graceMs);
    process.exit(code);
  };
}

try {
  await run(readArguments());
} catch (error) {
  process.stderr.write(`gateway: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
