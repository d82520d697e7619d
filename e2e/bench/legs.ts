/** The legs of a measurement: what is asked, of whom, and which processes it costs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namespace, professional } from '../demo/world.ts';
import { peerArguments, runDcmtk } from '../parts/dcmtk.ts';
import { losslessAccept, type SeriesCall } from '../parts/drimbox-client.ts';
import type { StatusSeen } from '../parts/operator.ts';
import { watch } from './process-cost.ts';
import type { LegName, Run } from './result.ts';
import { internalPair, readSiteConfig } from './site-state.ts';
import type { BenchSite, BenchWorld } from './world.ts';

export interface Leg {
  readonly name: LegName;
  /** Measured in the first round only. */
  readonly once?: boolean;
  run(): Promise<Run>;
}

export function bareLeg(world: BenchWorld, { site, study }: BenchSite): Leg {
  const { orthanc } = site;
  const keys = [
    'QueryRetrieveLevel=SERIES',
    `StudyInstanceUID=${study.studyUid}`,
    `SeriesInstanceUID=${study.seriesUid}`,
  ];
  const peer = { aeTitle: orthanc.aeTitle, host: orthanc.host, port: orthanc.dicomPort };
  const args = [
    '-d',
    '-S',
    ...peerArguments(peer, 'BENCH').slice(0, 4),
    '-aem',
    world.storescp.aeTitle,
    ...keys.flatMap((key) => ['-k', key]),
    peer.host,
    String(peer.port),
  ];
  return {
    name: 'bare',
    async run() {
      const cost = watch({ pacs: orthanc.part.pid, storescp: world.storescp.part.pid });
      const started = performance.now();
      const { exitCode, output } = await runDcmtk('movescu', args);
      const wallMs = performance.now() - started;
      const processes = cost.read();
      const images = Number(
        /Completed Suboperations\s*: (\d+)(?![\s\S]*Completed Suboperations)/.exec(output)?.[1] ?? 0,
      );
      if (exitCode !== 0) throw new Error(`movescu ended with ${exitCode}: ${output.slice(-500)}`);
      return {
        wallMs,
        images,
        bytes: study.instances.reduce((sum, { dataSetBytes }) => sum + dataSetBytes, 0),
        processes,
      };
    },
  };
}

/** The same bytes from memory through a copy of the ingress. */
export function memoryLeg(world: BenchWorld, site: BenchSite): Leg {
  const { envoy, server, port } = world.memory;
  const processes = { server: server.pid, envoy: envoy.pid };
  return fetchLeg('memory', world, site, processes, async () => await throughIngress(world, site, port));
}

export function ourLeg(world: BenchWorld, site: BenchSite): Leg {
  const processes = {
    pacs: site.site.orthanc.part.pid,
    gateway: pidOf(world.operator.status(), `gateway ${namespace}/${site.name}`),
    envoy: pidOf(world.operator.status(), 'envoy'),
  };
  return fetchLeg('ours', world, site, processes, async () => await throughIngress(world, site, world.publicPort));
}

/** A client slower than the PACS, for the gateway's memory: what it does not take must stay in the PACS. */
export function slowLeg(world: BenchWorld, site: BenchSite): Leg {
  const processes = { gateway: pidOf(world.operator.status(), `gateway ${namespace}/${site.name}`) };
  return fetchLeg('ours-slow-client', world, site, processes, async () => ({
    ...(await throughIngress(world, site, world.publicPort)),
    pauseMs: 1,
  }));
}

/** Straight to the gateway's listener, with the ingress's own certificate and saying of the caller what the ingress would say. */
export function directLeg(world: BenchWorld, site: BenchSite): Leg {
  const { state } = world.operator;
  const { wado } = readSiteConfig(state, site.name).listeners;
  const ingress = internalPair(state, 'ingress.drimbox.internal');
  const [certificateFile, keyFile] = [join(world.directory, 'ingress.crt'), join(world.directory, 'ingress.key')];
  writeFileSync(certificateFile, ingress.certificatePem);
  writeFileSync(keyFile, ingress.keyPem, { mode: 0o600 });
  const processes = {
    pacs: site.site.orthanc.part.pid,
    gateway: pidOf(world.operator.status(), `gateway ${namespace}/${site.name}`),
  };
  const { commonName, organizationalUnit } = callerOf(world, site);
  return fetchLeg('ours-direct', world, site, processes, async () => ({
    ...(await throughIngress(world, site, wado.port)),
    connectTo: { host: '127.0.0.1', port: wado.port },
    certificateFile,
    keyFile,
    caFile: wado.tls.clientCaFile,
    serverName: `${site.name}.${namespace}.gateway.drimbox.internal`,
    headers: { 'x-forwarded-client-cert': `Subject="CN=${commonName},OU=${organizationalUnit}"` },
  }));
}

function fetchLeg(
  name: LegName,
  world: BenchWorld,
  site: BenchSite,
  processes: Readonly<Record<string, number>>,
  call: () => Promise<SeriesCall>,
): Leg {
  return {
    name,
    async run() {
      const asked = await call();
      const cost = watch({ ...processes, client: world.client.pid });
      const transfer = await world.client.fetch(asked);
      const costs = cost.read();
      if (transfer.status !== 200) throw new Error(`${name}: HTTP ${transfer.status}`);
      const { images, equal, firstImageMs } = await world.client.check(site.digestsFile);
      return { wallMs: transfer.wallMs, firstImageMs, images, bytes: transfer.bytes, equal, processes: costs };
    },
  };
}

async function throughIngress(world: BenchWorld, site: BenchSite, port: number): Promise<SeriesCall> {
  const [link] = site.site.spec.links;
  if (!link) throw new Error(`site ${site.name} has no PACS`);
  const { studyUid, seriesUid } = site.study;
  const caller = callerOf(world, site);
  return {
    url: `https://${link.db.fqdn}:${world.publicPort}/dicom-web-rs/studies/${studyUid}/series/${seriesUid}`,
    connectTo: { host: world.places?.ingressHost ?? '127.0.0.1', port },
    certificateFile: caller.certificateFile,
    keyFile: caller.keyFile,
    caFile: world.services.pki.bundleFile,
    token: await world.services.psc.tokenFor(professional.id, 'viewer-demo'),
    kosSopInstanceUid: site.kosSopInstanceUid,
    accept: losslessAccept,
  };
}

/** Any DRIMbox of the list may ask, our own too. */
function callerOf(
  _world: BenchWorld,
  site: BenchSite,
): { commonName: string; organizationalUnit: string; certificateFile: string; keyFile: string } {
  const [link] = site.site.spec.links;
  if (!link) throw new Error(`site ${site.name} has no PACS`);
  return link.db.certificate;
}

function pidOf(status: StatusSeen | undefined, name: string): number {
  const pid = status?.processes.find((one) => one.name === name)?.pid;
  if (pid === undefined) throw new Error(`the operator runs no ${name}`);
  return pid;
}
