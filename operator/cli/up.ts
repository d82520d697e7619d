/** `drimbox up`: the operator on this host until it is told to stop. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gatewayNodeOptions } from '../../common/contract/gateway-command.ts';
import { createLog } from '../../common/observability/log.ts';
import { type StatusDocument, readStatus } from '../controllers/status-document.ts';
import { type HostOperatorOptions, startOnHost } from '../host.ts';
import type { EnvoyRunner } from '../infrastructure/host/ingress-runner.ts';
import { readListen } from './listen.ts';
import { stateFolder } from '../infrastructure/host/state-folder.ts';
import { envoyRunner } from '../ingress/envoy-ingress.ts';
import { type OperatorJournal, createOperatorJournal } from '../observability/journal.ts';
import { startMetricsServer } from '../observability/metrics-server.ts';
import { createOperatorMetrics } from '../observability/metrics.ts';
import { connectionEvent, proxyEvent } from '../observability/proxy-event.ts';
import { isGood, writeStatus } from './status.ts';

export const upUsage = `usage: drimbox up -f DIR [--state DIR] [--address ADDRESS] [--listen ADDRESS:PORT] [--metrics ADDRESS:PORT]
                  [--leave-running] [--json]

Runs the sites declared in DIR on this host, until Ctrl-C. Changes to the files are applied live, and only to the sites they
concern. SIGHUP fetches whitelist and CRLs again at once.

  -f, --directory DIR     folder with TrustSpace, DrimboxSite, PacsLink, Secret and ConfigMap as YAML (any depth);
                          Secrets may also be folders: secrets/NAMESPACE/NAME/tls.crt and tls.key
  --state DIR             where everything is kept (default ./.drimbox), archives included: back it up
  --address ADDRESS       where RIS and PACS connect (default 0.0.0.0)
  --listen ADDRESS:PORT   where the public FQDNs are served (default 0.0.0.0:443)
  --metrics ADDRESS:PORT  serve /metrics (Prometheus), /livez and /readyz there, e.g. 127.0.0.1:9464; off unless given. Keep it
                          on the loopback or an inner network: it names sites and FQDNs, and asks nobody who they are
  --envoy FILE            Envoy's binary (default $DRIMBOX_ENVOY); without one nothing is served to the outside
  --leave-running         for a service unit: gateways and proxy go on when the operator is told to stop, killed or replaced, and
                          the next one on the same --state takes them over. Without it everything ends with the operator
  --json                  log lines as JSON only, without the table

Exit codes: 0 stopped when told to, 1 could not start, 2 wrong usage.
`;

type Wiring = Pick<HostOperatorOptions, 'verifyWhitelist' | 'envoy'>;

/** Settles with the exit code when the operator has stopped. */
export async function up(argv: readonly string[], wiring: Wiring): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      directory: { type: 'string', short: 'f' },
      state: { type: 'string', default: '.drimbox' },
      address: { type: 'string', default: '0.0.0.0' },
      listen: { type: 'string', default: '0.0.0.0:443' },
      metrics: { type: 'string' },
      envoy: { type: 'string', default: process.env['DRIMBOX_ENVOY'] ?? '' },
      'leave-running': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const listen = readListen(values.listen);
  const metricsAt = values.metrics === undefined ? undefined : readListen(values.metrics);
  const misplaced = values.metrics !== undefined && metricsAt === undefined;
  if (values.help || values.directory === undefined || listen === undefined || misplaced) {
    console.error(upUsage);
    return values.help ? 0 : 2;
  }
  const root = join(import.meta.dirname, '../..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const say = values.json ? () => undefined : sayer();
  const stateDirectory = resolve(values.state);
  const now = (): Date => new Date();
  const log = createLog('info', { program: 'operator' }, values.json ? 1 : 2);
  let last: StatusDocument | undefined;
  const metrics = createOperatorMetrics(() => last);
  const former = readStatus(stateFolder(stateDirectory).statusFile)?.events ?? [];
  const journal = createOperatorJournal({ log, metrics, now, former });
  const { registry } = metrics;
  const pages = metricsAt && (await startMetricsServer({ ...metricsAt, registry, status: () => last, now }));
  const operator = await startOnHost({
    directory: resolve(values.directory),
    stateDirectory,
    siteAddress: values.address,
    listen,
    leaveRunning: values['leave-running'],
    gatewayCommand: [process.execPath, ...gatewayNodeOptions, join(root, 'gateway/main.ts')],
    software: { name: 'drimbox', version },
    log,
    journal,
    now,
    random: Math.random,
    onStatus(status) {
      last = status;
      say(status);
    },
    ...(values.envoy !== '' && { envoy: journalledEnvoy(resolve(values.envoy), journal) }),
    ...wiring,
  }).catch(async (error: unknown) => {
    await pages?.close(); // else it would keep a process alive that does nothing
    throw error;
  });
  process.on('SIGHUP', () => operator.refresh(true));
  const told = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => told.abort());
  await once(told.signal, 'abort');
  await operator.stop();
  await pages?.close();
  return 0;
}

function journalledEnvoy(binary: string, journal: OperatorJournal): EnvoyRunner {
  return envoyRunner({
    binary,
    onEvent: (what, fields) => journal.record(proxyEvent(what, fields)),
    onConnectionFailure: (failure, host) => journal.record(connectionEvent(failure, host)),
  });
}

/** Prints the table when it says something new; ages do not count. */
function sayer(): (status: StatusDocument) => void {
  let said = '';
  return (status) => {
    const text = writeStatus(status, new Date());
    const news = text.replaceAll(/\b\d+[smhd]\b/g, '');
    if (news === said) return;
    said = news;
    console.log(`\n${text}${isGood(status) ? '\nall ready' : ''}`);
  };
}
