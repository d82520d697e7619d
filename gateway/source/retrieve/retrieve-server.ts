/** The WADO-RS listener: one FQDN per PACS, series level, refusals in the words of the catalogue (DB.SO.173, ci-sis §7.1). */
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { DoorConfig, PacsConfig, TlsListenConfig } from '../../../common/contract/gateway-config.ts';
import type { Pacs } from '../../dicom/pacs.ts';
import { untilSent } from '../../../common/network/unsent.ts';
import { type Door, openDoor } from '../../identity/door.ts';
import { capabilities, capabilitiesType } from '../../wado/capabilities.ts';
import { RetrieveRefusal, toRefusal } from './refusal.ts';
import { answerSeries, assertCaller, sendRefusal, type SeriesDependencies } from './series-request.ts';

export interface RetrieveServerDependencies extends SeriesDependencies {
  readonly listen: TlsListenConfig;
  readonly pacsByFqdn: (host: string) => { readonly client: Pacs; readonly config: PacsConfig } | undefined;
  readonly newRequestId: () => string;
}

export interface RetrieveServer {
  readonly address: AddressInfo;
  /** @throws Error when the files can't be used; the old ones stay. */
  reloadTls(config: DoorConfig): void;
  /** No new request; those under way may end, and be taken by their callers, within `graceMs`; then their connections are cut. */
  close(graceMs: number): Promise<void>;
}

interface SeriesParams {
  readonly study: string;
  readonly series: string;
}

/** A 200 MB exam on a slow line takes minutes: only silence ends a response. */
const silenceMs = 300_000;

/** @throws Error when the port or a file can't be had. */
export async function startRetrieveServer(deps: RetrieveServerDependencies): Promise<RetrieveServer> {
  const door = openDoor(deps.listen.tls, {
    clientCertificates: true,
    onRefused: ({ remote, serverName, detail }) =>
      deps.journal.record({ name: 'HandshakeRefused', remote, serverName, detail, code: 'E1101' }),
  });
  const server = fastify({
    serverFactory: (handler) => door.createServer(handler),
    routerOptions: { maxParamLength: 128 },
    requestTimeout: 30_000,
    bodyLimit: 1_024,
  });
  server.server.setTimeout(silenceMs);
  addRoutes(server, door, deps);
  await server.listen({ host: deps.listen.host, port: deps.listen.port });
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the WADO listener has no address');
  return {
    address,
    reloadTls: (config) => door.reload(config),
    async close(graceMs) {
      const startedAt = performance.now();
      const timer = setTimeout(() => server.server.closeAllConnections(), graceMs);
      await server.close();
      clearTimeout(timer);
      await untilSent(address.port, Math.max(0, graceMs - (performance.now() - startedAt)));
    },
  };
}

function addRoutes(server: FastifyInstance, door: Door, deps: RetrieveServerDependencies): void {
  const series = async (request: FastifyRequest<{ Params: SeriesParams }>, reply: FastifyReply): Promise<void> => {
    reply.hijack();
    const link = linkOf(request, reply, deps);
    if (!link) return;
    const { study, series: seriesUid } = request.params;
    const call = {
      id: deps.newRequestId(),
      study,
      series: seriesUid,
      link,
      caller: door.caller(request.raw),
      remote: door.remote(request.raw),
      message: request.raw,
      response: reply.raw,
    };
    await answerSeries(call, deps);
  };
  // `dicom-web-rs` is normative, `wado-rs` is what an example of the specification prints (ci-sis §16 row 1)
  for (const prefix of ['dicom-web-rs', 'wado-rs']) {
    server.get<{ Params: SeriesParams }>(`/${prefix}/studies/:study/series/:series`, series);
    server.all(`/${prefix}/*`, (request, reply) => refuseLevel(request, reply, door, deps));
  }
  server.options('/', (request, reply) => answerCapabilities(request, reply, door, deps));
  server.setNotFoundHandler((_request, reply) => {
    reply.hijack();
    sendRefusal(reply.raw, new RetrieveRefusal('E1104', 'no such page', 404));
  });
}

/** Host names the PACS; over Envoy the SNI already did. Another name on this connection is misdirected (RFC 9110 §15.5.20). */
function linkOf(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RetrieveServerDependencies,
): ReturnType<RetrieveServerDependencies['pacsByFqdn']> {
  const link = deps.pacsByFqdn(request.hostname.replace(/:\d+$/, ''));
  if (!link) sendRefusal(reply.raw, new RetrieveRefusal('E1104', `no PACS is served as ${request.hostname}`, 421));
  return link;
}

/** Other levels and methods: 405, once the caller is known to be one of ours (E1105, ci-sis §16 row 2). */
function refuseLevel(request: FastifyRequest, reply: FastifyReply, door: Door, deps: RetrieveServerDependencies): void {
  reply.hijack();
  const link = linkOf(request, reply, deps);
  if (!link) return;
  const refusal =
    callerRefusal(request, door, link.config, deps) ?? new RetrieveRefusal('E1105', `${request.method} ${request.url}`);
  sendRefusal(reply.raw, refusal, refusal.code === 'E1105' ? { allow: 'GET' } : {});
  const caller = door.caller(request.raw);
  deps.journal.record({
    name: 'RetrieveRefused',
    request: deps.newRequestId(),
    pacs: link.config.name,
    study: '',
    series: '',
    peer: caller.ok ? caller.peer.commonName : '',
    remote: door.remote(request.raw),
    professionalId: '',
    situation: '',
    code: refusal.code,
    httpStatus: refusal.httpStatus,
    detail: refusal.message,
  });
}

/** Ping: mutual TLS and whitelist, no bearer (ci-sis §7.9). */
function answerCapabilities(
  request: FastifyRequest,
  reply: FastifyReply,
  door: Door,
  deps: RetrieveServerDependencies,
): void {
  reply.hijack();
  const link = linkOf(request, reply, deps);
  if (!link) return;
  const refusal = callerRefusal(request, door, link.config, deps);
  if (refusal) {
    sendRefusal(reply.raw, refusal);
    return;
  }
  reply.raw.writeHead(200, { 'content-type': capabilitiesType });
  reply.raw.end(capabilities(request.host));
}

function callerRefusal(
  request: FastifyRequest,
  door: Door,
  pacs: PacsConfig,
  deps: RetrieveServerDependencies,
): RetrieveRefusal | undefined {
  try {
    assertCaller(door.caller(request.raw), pacs, deps);
    return undefined;
  } catch (error) {
    return toRefusal(error);
  }
}
