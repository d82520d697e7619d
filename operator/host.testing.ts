/** For the tests of the operator on one host: a group of two sites, nord and sud, with real processes in the gateways' place. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { createLog } from '../common/observability/log.ts';
import type { Whitelist } from '../common/whitelist/whitelist.ts';
import { type GroupSpec, writeGroup } from '../e2e/parts/group.ts';
import { type Issued, type Pki, createPki } from '../e2e/parts/pki.ts';
import { freePort } from '../e2e/parts/ports.ts';
import { isGood } from './cli/status.ts';
import type { StatusDocument } from './controllers/status-document.ts';
import { type HostOperator, type HostOperatorOptions, startOnHost } from './host.ts';
import { createOperatorJournal } from './observability/journal.ts';
import { createOperatorMetrics } from './observability/metrics.ts';
import type { IngressPlan } from './plan/ingress-plan.ts';
import type { IngressObservation } from './plan/observations.ts';

export interface HostStage {
  /** Watched by the operator. */
  readonly directory: string;
  readonly state: string;
  readonly pki: Pki;
  /** Another certificate for db.nord.example. */
  readonly next: Issued;
  /** The latest, of the operator that runs. */
  readonly status: () => StatusDocument | undefined;
  readonly ingressPlan: () => IngressPlan | undefined;
  /** Each status that was told, of all operators. */
  readonly told: readonly StatusDocument[];
  /** Whether the proxy takes what it is given (it does at first), also what it was given before. */
  readonly proxyTakes: (takes: boolean) => void;
  /** @throws Error when one runs */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Stops what runs and removes everything. */
  readonly close: () => Promise<void>;
  /** Waits for what must come; how long it takes is not asserted. */
  readonly until: <T>(what: string, look: () => T | undefined | false) => Promise<T>;
  readonly allReady: () => Promise<void>;
  readonly pidOf: (site: string) => number | undefined;
  /** Reason of a condition. */
  readonly conditionOf: (kind: string, key: string, type: string) => string | undefined;
  readonly edit: (file: string, from: string | RegExp, to: string) => void;
}

const list: Whitelist = {
  generatedAt: '2026-01-01T00:00:00Z',
  signedAt: '2026-01-01T00:00:00Z',
  signer: { commonName: 'a', organizationalUnit: 'b', issuer: 'c', serial: '1', notAfter: '2036-01-01T00:00:00Z' },
  revocation: 'good',
  domains: [],
};

/** @returns another certificate for db.nord.example */
async function writeResources(directory: string, pki: Pki): Promise<Issued> {
  const issue = async (commonName: string, kind: 'SERV_SSL' | 'MARKET' | 'AUTH_CLI' | 'SIGN'): Promise<Issued> =>
    await pki.issue({ commonName, organizationalUnit: '1750000001', kind });
  const site = async (name: string): Promise<GroupSpec['sites'][number]> => ({
    name,
    structure: { id: '1750000001', name },
    sourceId: '1.2.250.1.999.1',
    sendingApplication: `RIS-${name}`,
    mllpPort: await freePort(),
    dimsePort: await freePort(),
    authentication: await issue('auth', 'AUTH_CLI'),
    signature: await issue('sign', 'SIGN'),
    links: [
      {
        name: `pacs-${name}`,
        pacs: { host: '127.0.0.1', port: 104, aeTitle: 'PACS' },
        callingAeTitle: 'DRIM',
        aeTitlePool: ['DRIM1'],
        maxConcurrentMoves: 1,
        retrieveLocationUid: '1.2.250.1.999.2',
        db: { fqdn: `db.${name}.example`, certificate: await issue(`db.${name}.example`, 'SERV_SSL') },
        vi: { fqdn: `vi.${name}.example`, certificate: await issue(`vi.${name}.example`, 'MARKET') },
      },
    ],
  });
  writeGroup(directory, {
    namespace: 'group',
    pki,
    whitelistUrl: 'http://127.0.0.1:1/list.xml',
    signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '1' },
    crlUrls: ['http://127.0.0.1:1/crl'],
    dmpUrl: 'https://127.0.0.1:1/services',
    introspection: { url: 'https://127.0.0.1:1/i', clientId: 'drimbox', certificate: await issue('psc', 'AUTH_CLI') },
    publicPort: 443,
    sites: [await site('nord'), await site('sud')],
  });
  // No network in this test: the list and the CRLs stand in the directory.
  const crls = readFileSync(pki.crlBundleFile, 'utf8').replaceAll(/^/gm, '            ');
  edit(directory, 'trust-space.yaml', /url: http:\/\/127\.0\.0\.1:1\/list\.xml/, 'document: { inline: <list/> }');
  edit(directory, 'trust-space.yaml', /- url: http:\/\/127\.0\.0\.1:1\/crl/, `- inline: |\n${crls}`);
  return await issue('db.nord.example', 'SERV_SSL');
}

function edit(directory: string, file: string, from: string | RegExp, to: string): void {
  const path = join(directory, file);
  const text = readFileSync(path, 'utf8');
  assert.match(text, from);
  writeFileSync(path, text.replace(from, to));
}

/** In the proxy's place. */
interface Proxy {
  takes: boolean;
  wanted: IngressPlan | undefined;
  taken: IngressPlan | undefined;
}

interface SeenOnHost {
  readonly status: () => StatusDocument | undefined;
  readonly onStatus: (document: StatusDocument) => void;
  readonly proxy: Proxy;
}

function observeProxy({ wanted, taken }: Proxy): ReadonlyMap<string, IngressObservation> {
  const entries = (plan: IngressPlan | undefined, link: string): string =>
    JSON.stringify(plan?.hosts.filter((host) => host.link === link));
  return new Map(
    (wanted?.hosts ?? []).map(({ link }) => [
      link,
      entries(wanted, link) === entries(taken, link)
        ? { status: 'True', reason: 'Programmed', message: '' }
        : { status: 'Unknown', reason: 'NotAcknowledged', message: '' },
    ]),
  );
}

function optionsOf(directory: string, stateDirectory: string, seen: SeenOnHost): HostOperatorOptions {
  const log = createLog('error');
  return {
    directory,
    stateDirectory,
    siteAddress: '127.0.0.1',
    listen: { host: '127.0.0.1', port: 1 },
    gatewayCommand: [process.execPath, join(import.meta.dirname, '../e2e/parts/tiny-gateway.ts')],
    software: { name: 'drimbox', version: '0.0.0' },
    // What the signature says is tested with common/whitelist; here it is enough that something was judged good.
    verifyWhitelist: async (xml) =>
      await Promise.resolve(
        xml.byteLength > 0 ? { accepted: true, whitelist: list } : { accepted: false, reason: 'Empty', detail: '' },
      ),
    envoy: async () =>
      await Promise.resolve({
        apply: async (plan) => {
          seen.proxy.wanted = plan;
          if (seen.proxy.takes) seen.proxy.taken = plan;
          await Promise.resolve();
        },
        observe: () => observeProxy(seen.proxy),
        detach: async () => await Promise.resolve(),
        stop: async () => await Promise.resolve(),
      }),
    log,
    journal: createOperatorJournal({
      log,
      metrics: createOperatorMetrics(seen.status),
      now: () => new Date(),
      former: [],
    }),
    now: () => new Date(),
    random: () => 0,
    periodMs: 200,
    onStatus: seen.onStatus,
  };
}

/** The group stands in the directory, and no operator runs yet. */
export async function openHostStage(): Promise<HostStage> {
  const root = mkdtempSync(join(tmpdir(), 'drimbox-host-'));
  const directory = join(root, 'resources');
  const state = join(root, 'state');
  const pki = await createPki(join(root, 'pki'));
  let operator: HostOperator | undefined;
  let status: StatusDocument | undefined;
  const told: StatusDocument[] = [];
  const proxy: Proxy = { takes: true, wanted: undefined, taken: undefined };
  const next = await writeResources(directory, pki);
  const start = async (): Promise<HostOperator> =>
    await startOnHost(
      optionsOf(directory, state, {
        status: () => status,
        onStatus: (document) => told.push((status = document)),
        proxy,
      }),
    );
  const until = async <T>(what: string, look: () => T | undefined | false): Promise<T> => {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await sleep(50);
    }
    throw new Error(`${what} did not come: ${JSON.stringify(status, undefined, 1)}`);
  };
  const stop = async (): Promise<void> => {
    await operator?.stop();
    operator = undefined;
    status = undefined;
  };
  return {
    directory,
    state,
    pki,
    next,
    status: () => status,
    ingressPlan: () => proxy.wanted,
    told,
    proxyTakes(takes) {
      proxy.takes = takes;
      if (takes) proxy.taken = proxy.wanted;
    },
    async start() {
      if (operator !== undefined) throw new Error('an operator runs');
      operator = await start();
    },
    stop,
    async close() {
      await stop();
      rmSync(root, { recursive: true });
    },
    until,
    allReady: async () => void (await until('all ready', () => status !== undefined && isGood(status))),
    pidOf: (site) => status?.processes.find(({ name }) => name === `gateway group/${site}`)?.pid,
    conditionOf: (kind, key, type) =>
      status?.resources.find((r) => r.kind === kind && r.key === key)?.conditions.find((c) => c.type === type)?.reason,
    edit: (file, from, to) => edit(directory, file, from, to),
  };
}
