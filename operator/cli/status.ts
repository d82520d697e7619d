/** `drimbox status`: every resource with its conditions and reasons. */
import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import type { Condition } from '../plan/condition.ts';
import type { ResourceStatus } from '../plan/status.ts';
import { writeFault } from '../resources/directory/accept.ts';
import { type StatusDocument, readStatus } from '../controllers/status-document.ts';
import { stateFolder } from '../infrastructure/host/state-folder.ts';
import { writeEvents } from './status-events.ts';

export const statusUsage = `usage: drimbox status [--state DIR] [--events] [--json]

Shows every resource of the operator that runs (or ran) with this state folder.

  --state DIR   its state folder (default ./.drimbox)
  --events      what happened lately instead, newest last; what happened again has a count
  --json        the whole document, events included, for scripts

Exit codes: 0 all are ready, 1 one is not, or a file has a fault, or the operator does not run, 2 wrong usage.
`;

/** The operator writes at least every 10 s. */
const aliveMs = 30_000;

/** @returns the exit code */
export function showStatus(argv: readonly string[], now: Date): number {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      state: { type: 'string', default: '.drimbox' },
      events: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(statusUsage);
    return 0;
  }
  const state = resolve(values.state);
  const status = readStatus(stateFolder(state).statusFile);
  if (status === undefined) {
    console.error(
      `drimbox: no operator ever ran with the state folder ${state}; start one with: drimbox up -f DIR --state ${state}`,
    );
    return 1;
  }
  const alive = now.getTime() - Date.parse(status.writtenAt) < aliveMs;
  const text = values.events ? writeEvents(status.events ?? []) : writeStatus(status, now);
  console.log(values.json ? JSON.stringify(status, undefined, 2) : text);
  if (!alive) console.error(`drimbox: the operator does not run; this is what it saw at ${status.writtenAt}`);
  return alive && isGood(status) ? 0 : 1;
}

export function isGood({ resources, faults, error }: StatusDocument): boolean {
  const ready = resources.every((resource) => conditionOf(resource, 'Ready')?.status === 'True');
  return ready && resources.length > 0 && faults.length === 0 && error === undefined;
}

/** A table per kind, then what is not as it should be, each with its reason. Pure. */
export function writeStatus(status: StatusDocument, now: Date): string {
  const kinds = Object.keys(columns) as ResourceStatus['kind'][];
  const parts = kinds.flatMap((kind) => {
    const rows = status.resources.filter((resource) => resource.kind === kind);
    return rows.length === 0 ? [] : [table(kind, rows, now)];
  });
  const reasons = status.resources.flatMap((resource) =>
    resource.conditions
      .filter((condition) => condition.type !== 'Ready' && condition.type !== 'Paused' && isNotable(condition))
      .map((c) => `${resource.kind} ${resource.key}: ${c.type} is ${c.status}, ${c.reason}: ${c.message}`),
  );
  const faults = status.faults.map((fault) => `not in force: ${writeFault(fault)}`);
  const errors = status.error === undefined ? [] : [`the latest round failed: ${status.error}`];
  if (parts.length === 0) parts.push('no resources\n');
  return [...parts, [...reasons, ...faults, ...errors].join('\n')].join('\n').trimEnd();
}

function isNotable({ status, message, reason }: Condition): boolean {
  return status !== 'True' || (message !== '' && /Expires|Unreachable|restarted/.test(`${reason} ${message}`));
}

type Column = readonly [title: string, cell: (resource: ResourceStatus, now: Date) => string];

const name: Column = ['NAME', (r) => r.key];
const ready: Column = ['READY', (r) => conditionOf(r, 'Ready')?.status ?? 'Unknown'];
const reason: Column = ['REASON', (r) => conditionOf(r, 'Ready')?.reason ?? ''];
const whitelist: Column = ['LISTE-BLANCHE', (r) => conditionOf(r, 'WhitelistVerified')?.reason ?? ''];
const expiry: Column = ['CERT-EXPIRY', (r) => day(r.fields['certificateExpiry'])];
const age: Column = ['AGE', (r, now) => since(r.creationTimestamp, now)];

/** As the CRDs' printer columns. */
const columns: Readonly<Record<ResourceStatus['kind'], readonly Column[]>> = {
  TrustSpace: [
    name,
    ready,
    whitelist,
    ['CRL-EXPIRY', (r) => day(r.fields['crlExpiry'])],
    ['SITES', (r) => text(r.fields['sites'])],
    age,
  ],
  DrimboxSite: [
    name,
    ready,
    reason,
    whitelist,
    ['PACS', (r) => text(r.fields['pacs'])],
    ['DMP', (r) => conditionOf(r, 'DmpReachable')?.reason ?? ''],
    expiry,
    age,
  ],
  PacsLink: [name, ready, reason, ['PACS', (r) => conditionOf(r, 'PacsReachable')?.reason ?? ''], expiry, age],
};

function conditionOf(resource: ResourceStatus, type: string): Condition | undefined {
  return resource.conditions.find((condition) => condition.type === type);
}

function table(kind: ResourceStatus['kind'], rows: readonly ResourceStatus[], now: Date): string {
  const head = columns[kind].map(([title]) => title);
  const body = rows.map((row) => columns[kind].map(([, cell]) => cell(row, now) || '-'));
  const widths = head.map((title, index) => Math.max(title.length, ...body.map((cells) => cells[index]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return `${kind}\n${[head, ...body].map((cells) => `  ${line(cells)}`).join('\n')}\n`;
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function day(value: unknown): string {
  return text(value).slice(0, 10);
}

function since(time: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
