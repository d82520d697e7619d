/**
 * A program that behaves towards the operator as a gateway does and does nothing else: reads its config, follows it, answers GET
 * /status on the admin listener, exits 75 when a listener moves. GET /die ends it with exit code 1.
 *
 * usage: tiny-gateway.ts --config FILE
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { readGatewayConfig } from '../../common/contract/read-gateway-config.ts';
import type { GatewayConfig } from '../../common/contract/gateway-config.ts';
import type { GatewayCondition, GatewayStatus } from '../../common/contract/gateway-status.ts';

const { values } = parseArgs({ options: { config: { type: 'string', default: '' } } });

function load(): GatewayConfig {
  const reading = readGatewayConfig(readFileSync(values.config, 'utf8'));
  if (!reading.ok) throw new Error(JSON.stringify(reading.faults));
  const { config } = reading;
  // A gateway can't start without its files: the operator must have written every one before the config.
  const { authentication, signature } = config.dmp.structures[0] ?? {};
  for (const pair of [authentication, signature, config.listeners.wado.tls.server])
    if (pair !== undefined) for (const file of [pair.certificateFile, pair.keyFile]) readFileSync(file);
  return config;
}

function moved(a: GatewayConfig, b: GatewayConfig): boolean {
  const where = ({ mllp, dimse, wado, viewer, admin }: GatewayConfig['listeners']): string =>
    JSON.stringify([mllp, dimse, wado.port, viewer.port, admin]);
  return where(a.listeners) !== where(b.listeners);
}

let config = load();
setInterval(() => {
  const next = load();
  if (moved(config, next)) process.exit(75);
  config = next;
}, 100);

function condition(type: string, reason: string): GatewayCondition {
  return { type, status: 'True', reason, message: '', lastTransitionTime: '2026-01-01T00:00:00.000Z' };
}

function status(): GatewayStatus {
  const { mllp, dimse, wado, viewer, admin } = config.listeners;
  return {
    apiVersion: 'gateway.drimbox.dev/v1alpha1',
    revision: config.revision,
    ready: true,
    conditions: [
      condition('ArchiveReady', 'Ready'),
      condition('WhitelistVerified', 'Verified'),
      condition('Publishing', 'Idle'),
    ],
    pacs: config.pacs.map(({ name }) => ({ name, conditions: [condition('PacsReachable', 'Echoed')] })),
    publications: {},
    listening: { mllp, dimse, wado, viewer, admin },
  };
}

createServer((request, response) => {
  if (request.url === '/die') process.exit(1);
  response.setHeader('content-type', 'application/json').end(JSON.stringify(status()));
}).listen(config.listeners.admin.port, config.listeners.admin.host);
