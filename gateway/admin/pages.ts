/** The gateway's pages: admin (never exposed) and the viewer listener with the health weather, both reading the same facts. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import fastify, { type FastifyInstance } from 'fastify';
import type { DoorConfig, GatewayConfig } from '../../common/contract/gateway-config.ts';
import type { GatewayStatus } from '../../common/contract/gateway-status.ts';
import { type Door, openDoor } from '../identity/door.ts';
import { hurry, type Wings } from '../wings.ts';
import { createAdminServer } from './admin-server.ts';
import { drimboxHealth, type Health, pacsHealth } from './health.ts';
import { ArchiveUnavailable } from '../source/archive/unavailable.ts';
import { type StatusFacts, statusOf } from './status.ts';

export interface Pages {
  configRefused(fault: NonNullable<GatewayStatus['refusedConfig']>): void;
  apply(config: GatewayConfig): void;
  close(): Promise<void>;
}

interface State {
  config: GatewayConfig;
  refused: GatewayStatus['refusedConfig'];
  readonly whitelistSince: Date;
}

/** The probe's own bound: a listener that needs longer for a handshake is not well. */
const handshakeTimeoutMs = 3_000;

/** @throws Error when a port or a file can't be had. */
export async function openPages(config: GatewayConfig, wings: Wings): Promise<Pages> {
  const state: State = { config, refused: undefined, whitelistSince: new Date() };
  const { server: health, door } = createHealthServer(config, {
    drimbox: async () =>
      drimboxHealth({
        viewer: 'not part of this gateway',
        wadoAnswers: await answersTls(wings.retrieve.address, state.config.listeners.wado.tls),
        listed: wings.whitelist.current().ownEntry,
      }),
    pacs: () => pacsHealth(wings.pacsWatch.facts(), new Date()),
  });
  const { host, port } = config.listeners.viewer;
  await health.listen({ host, port });
  const admin = createAdminServer({
    status: async () => await status(state, wings, { viewer: addressOf(health), admin: addressOf(admin) }),
    registry: wings.metrics.registry,
    beforeScrape: async () => {
      wings.metrics.publicationJobs.reset();
      const { publications } = await publicationsNow(wings);
      for (const [name, count] of Object.entries(publications))
        wings.metrics.publicationJobs.set({ state: name }, count);
    },
    hurry: () => hurry(wings, wings.journal),
  });
  await admin.listen(config.listeners.admin);
  return {
    configRefused: (fault) => {
      state.refused = fault;
    },
    apply: (next) => {
      door.reload(next.listeners.viewer.tls);
      state.config = next;
      state.refused = undefined;
    },
    close: async () => {
      await admin.close();
      await health.close();
    },
  };
}

function createHealthServer(
  config: GatewayConfig,
  read: { readonly drimbox: () => Promise<Health>; readonly pacs: () => Health },
): { readonly server: FastifyInstance; readonly door: Door } {
  // a refused handshake on this door is a stranger on the internal hop: it gets nothing, and nothing is told to it
  const door = openDoor(config.listeners.viewer.tls, { clientCertificates: false, onRefused: () => undefined });
  const server = fastify({ serverFactory: (handler) => door.createServer(handler), forceCloseConnections: true });
  server.get('/healthcheck/drimbox', async () => await read.drimbox());
  server.get('/healthcheck/pacs', () => read.pacs());
  return { server, door };
}

/** A real handshake with our own WADO listener, as any caller's: only its certificate is believed. */
function answersTls(address: AddressInfo, tls: DoorConfig): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address.address,
      port: address.port,
      ca: readFileSync(tls.server.certificateFile),
      checkServerIdentity: () => undefined,
      rejectUnauthorized: false,
    });
    const done = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(handshakeTimeoutMs, () => done(false));
    socket.once('secureConnect', () => done(true));
    socket.once('error', () => done(false));
  });
}

async function status(
  state: State,
  wings: Wings,
  own: { readonly viewer: AddressInfo; readonly admin: AddressInfo },
): Promise<GatewayStatus> {
  const at = ({ address, port }: AddressInfo): { host: string; port: number } => ({ host: address, port });
  return statusOf({
    revision: state.config.revision,
    refusedConfig: state.refused,
    whitelist: wings.whitelist.current(),
    whitelistSince: state.whitelistSince,
    pacs: wings.pacsWatch.facts(),
    ...(await publicationsNow(wings)),
    archive: wings.archiveHealth(),
    onDuty: wings.duty.held(),
    listening: {
      mllp: at(wings.mllp.address),
      dimse: { host: wings.receiver.host, port: wings.receiver.port },
      wado: at(wings.retrieve.address),
      viewer: at(own.viewer),
      admin: at(own.admin),
    },
    now: new Date(),
  });
}

/** Nothing while the archive is away: the page answers at once, and its conditions say why. */
async function publicationsNow(wings: Wings): Promise<Pick<StatusFacts, 'publications' | 'waiting'>> {
  const unknown = { publications: {}, waiting: undefined };
  if (!wings.archiveHealth().up) return unknown;
  try {
    return { publications: await wings.jobs.counts(), waiting: await wings.jobs.waiting() };
  } catch (error) {
    if (!(error instanceof ArchiveUnavailable)) throw error;
    return unknown; // it went away just now
  }
}

function addressOf(server: FastifyInstance): AddressInfo {
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the page server is not listening');
  return address;
}
