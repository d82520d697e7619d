/** Gathers all that planning may know on one host. The only place that reads; nothing here decides. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayStatus } from '../../common/contract/gateway-status.ts';
import { gatewayName } from '../infrastructure/host/apply.ts';
import { writeFileAtomically } from '../infrastructure/host/files.ts';
import { lastWords } from '../infrastructure/host/last-words.ts';
import { assignPorts } from '../infrastructure/host/ports.ts';
import type { StateFolder } from '../infrastructure/host/state-folder.ts';
import type { Supervisor } from '../infrastructure/host/supervisor.ts';
import type { Gathered, GatewayObservation, InternalIdentities, Layout } from '../plan/observations.ts';
import { type Inventory, keyOf } from '../resources/inventory.ts';
import {
  type InternalState,
  emptyInternalState,
  gatewayServerName,
  ingressServerName,
  internalBundle,
  renewInternal,
} from '../trust/internal-authority.ts';
import { certificateStore } from '../trust/certificate-store.ts';
import { readIdentity } from '../trust/material.ts';
import { type IdentityJudge, serverIdentities } from '../trust/server-identities.ts';
import { namedSecrets, pendingRequests } from './named.ts';
import { observeDatabases } from './observe-databases.ts';
import { type TrustOptions, observeTrust } from './observe-trust.ts';

export interface GatherOptions {
  readonly state: StateFolder;
  readonly trust: TrustOptions;
  readonly judge: IdentityJudge;
  readonly supervisor: Supervisor;
  readonly now: () => Date;
  /** Where MLLP and DIMSE listen. */
  readonly siteAddress: string;
  readonly software: Gathered['software'];
}

const gatewayAddress = '127.0.0.1';

export async function gather(inventory: Inventory, options: GatherOptions): Promise<Gathered> {
  const now = options.now();
  const sites = inventory.sites.map(keyOf);
  const trusts = new Map(
    await Promise.all(
      inventory.trustSpaces.map(
        async (trust) => [keyOf(trust), await observeTrust(trust, inventory, now, options.trust)] as const,
      ),
    ),
  );
  const store = certificateStore(options.state.certificatesFolder);
  const servers = await serverIdentities({ inventory, trusts, store, judge: options.judge, at: now });
  const layout = await layoutOf(inventory, options);
  // A site whose gateway was never started has nothing to observe.
  const started = sites.filter((site) => options.supervisor.state(gatewayName(site)) !== undefined);
  return {
    now,
    inventory,
    trusts,
    servers,
    requests: pendingRequests(inventory.links, store),
    identities: new Map([...namedSecrets(inventory)].map((name) => [name, readIdentity(inventory.secrets.get(name))])),
    databases: observeDatabases(inventory),
    internal: await internalIdentities(sites, options.state, now),
    gateways: new Map(
      await Promise.all(started.map(async (site) => [site, await observeGateway(site, layout, options)] as const)),
    ),
    layout,
    software: options.software,
  };
}

async function layoutOf({ sites }: Inventory, { state, siteAddress }: GatherOptions): Promise<Layout> {
  const reserved = sites.flatMap(({ spec }) => [spec.mllp.port, spec.dimse.port]);
  const ports = await assignPorts(state.portsFile, sites.map(keyOf), reserved, gatewayAddress);
  return {
    fileOf: (site, name) => join(state.filesFolder(site), name),
    whitelistFile: (trustSpace) => join(state.trustFolder(trustSpace), 'whitelist.xml'),
    dataDirectory: (site) => state.dataFolder(site),
    siteAddress,
    gatewayAddress,
    portsOf: (site) => ports.of(site),
    sharedPorts: true,
  };
}

async function internalIdentities(
  sites: readonly string[],
  state: StateFolder,
  now: Date,
): Promise<InternalIdentities> {
  const file = state.internalFile;
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as InternalState) : emptyInternalState;
  const after = await renewInternal(before, [ingressServerName, ...sites.map(gatewayServerName)], now);
  if (after !== before) writeFileAtomically(file, JSON.stringify(after), { secret: true });
  const identity = (serverName: string): InternalIdentities['ingress'] => {
    const leaf = after.leaves[serverName];
    if (leaf === undefined) throw new Error(`no internal certificate was made for ${serverName}`);
    return { serverName, identity: { name: `internal/${serverName}`, ...leaf } };
  };
  return {
    caPem: internalBundle(after),
    ingress: identity(ingressServerName),
    gateways: new Map(sites.map((site) => [site, identity(gatewayServerName(site))])),
  };
}

async function observeGateway(
  site: string,
  layout: Layout,
  { supervisor, state: folder }: GatherOptions,
): Promise<GatewayObservation> {
  const state = supervisor.state(gatewayName(site));
  if (state?.running !== true)
    return {
      running: false,
      restarts: state?.restarts ?? 0,
      ...(state?.lastEnd === undefined ? {} : { lastEnd: `${state.lastEnd}: ${lastWords(folder.gatewayLog(site))}` }),
    };
  const status = await askStatus(`http://${layout.gatewayAddress}:${layout.portsOf(site).admin}/status`);
  return { running: true, restarts: state.restarts, ...(status === undefined ? {} : { status }) };
}

/** undefined when it does not answer, or not in time, or something else; the status then says NotAnswering. */
async function askStatus(url: string): Promise<GatewayStatus | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const body = (await response.json()) as GatewayStatus;
    return body.apiVersion === 'gateway.drimbox.dev/v1alpha1' ? body : undefined;
  } catch {
    return undefined; // starting, stopping or hanging: said by its absence
  }
}
