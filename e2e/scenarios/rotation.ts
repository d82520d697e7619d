/** Certificates replaced and whitelists republished while remote DRIMboxes download without a pause. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { type DemoResult, type DemoWorld } from '../demo/scenario.ts';
import { fqdnOf, namespace, professional } from '../demo/world.ts';
import { fetchSeries, type SeriesAnswer } from '../parts/drimbox-client.ts';
import { writeSecret } from '../parts/group.ts';
import type { Issued } from '../parts/pki.ts';
import { type ListedDomain, signWhitelist } from '../parts/whitelist.ts';
import { until } from './site.ts';

export const rotatedFqdn = fqdnOf('db', 'nord');

export interface Rotations {
  readonly world: DemoWorld;
  readonly result: DemoResult;
  /** Of each: certificates in service one after the other, lists in force one after the other. */
  readonly times: number;
  readonly clients: number;
}

export interface RotationOutcome {
  readonly rotations: number;
  readonly lists: number;
  readonly downloads: number;
  /** Why each request that failed did. */
  readonly failures: readonly string[];
  /** Serial of the last certificate given. */
  readonly lastSerial: string;
  /** From the Secret written and the list published to both in force, ms. */
  readonly stepMs: readonly number[];
}

/** @throws Error when a certificate or a list does not come into force in 30 s */
export async function rotateUnderLoad({ world, result, times, clients }: Rotations): Promise<RotationOutcome> {
  const certificates = await issueSome(world, Math.min(times, 6));
  const load = { on: true, downloads: 0, failures: [] as string[] };
  const downloading = Array.from({ length: clients }, async () => {
    while (load.on) {
      const why = await download(world, result).then(
        (answer) => fault(answer, world.study.instances.length),
        (error: unknown) => String(error),
      );
      load.downloads += 1;
      if (why !== undefined) load.failures.push(why);
    }
  });
  const stepMs: number[] = [];
  try {
    for (let step = 0; step < times; step++) {
      const next = certificates[step % certificates.length];
      if (next === undefined) throw new Error('no certificate to rotate to');
      const started = performance.now();
      await oneStep(world, next, step);
      stepMs.push(performance.now() - started);
    }
  } finally {
    load.on = false;
    await Promise.all(downloading);
  }
  const last = certificates[(times - 1) % certificates.length];
  return {
    rotations: times,
    lists: times,
    downloads: load.downloads,
    failures: load.failures,
    lastSerial: last?.certificate.serialNumber ?? '',
    stepMs,
  };
}

export async function download(
  { services, ports, sites }: DemoWorld,
  { artefacts, kos }: DemoResult,
  certificate: Issued | undefined = sites[1]?.spec.links[0]?.db.certificate,
): Promise<SeriesAnswer> {
  if (certificate === undefined) throw new Error('the remote DRIMbox has a certificate');
  return await fetchSeries({
    url: artefacts.retrieveUrl,
    connectTo: { host: '127.0.0.1', port: ports.public },
    certificateFile: certificate.certificateFile,
    keyFile: certificate.keyFile,
    caFile: services.pki.bundleFile,
    token: await services.psc.tokenFor(professional.id, 'viewer-demo'),
    kosSopInstanceUid: kos.sopInstanceUid,
  });
}

function fault({ status, body, parts }: SeriesAnswer, images: number): string | undefined {
  if (status !== 200) return `HTTP ${status} ${body}`;
  return parts.length === images ? undefined : `${parts.length} of ${images} images`;
}

async function issueSome({ services, sites }: DemoWorld, count: number): Promise<readonly Issued[]> {
  const organizationalUnit = sites[0]?.spec.structure.id ?? '';
  const issue = (): Promise<Issued> =>
    services.pki.issue({ commonName: rotatedFqdn, organizationalUnit, kind: 'SERV_SSL' });
  return await Promise.all(Array.from({ length: count }, issue));
}

/** The certificate by its Secret, the list at the publisher's, both looked for in what is in force. */
async function oneStep(world: DemoWorld, next: Issued, step: number): Promise<void> {
  giveCertificate(world, next);
  const list = publishList(world, [stranger(step)]);
  world.operator.kill('SIGHUP'); // fetch list and CRLs now
  await until(`certificate ${step} in service`, async () => {
    const serial = await serialServed(world);
    // each look is a handshake, which the ingress pays as well
    if (serial !== next.certificate.serialNumber) await sleep(80);
    return serial === next.certificate.serialNumber;
  });
  const inForce = join(world.operator.state, 'trust/test/whitelist.xml');
  await until(`list ${step} in force`, () => existsSync(inForce) && readFileSync(inForce).equals(list));
}

export function giveCertificate(world: DemoWorld, issued: Pick<Issued, 'certificateFile' | 'keyFile'>): void {
  const name = world.sites[0]?.spec.links[0]?.name ?? '';
  writeSecret(join(world.directory, 'resources'), namespace, `${name}-db`, issued);
}

/** One more DRIMbox, another at each step. */
export function stranger(step: number): ListedDomain {
  const db = `db1.s${step}.example`;
  return { db, vi: `vi1.s${step}.example`, commonName: db, organizationalUnit: '1750000099' };
}

function publishList({ services, sites }: DemoWorld, more: readonly ListedDomain[]): Buffer {
  const domains = sites.map(({ spec }) => ({
    db: fqdnOf('db', spec.name),
    vi: fqdnOf('vi', spec.name),
    commonName: fqdnOf('db', spec.name),
    organizationalUnit: spec.structure.id,
  }));
  const { signer, pki, whitelist } = services;
  const list = signWhitelist({ domains: [...domains, ...more], signer, pki });
  whitelist.publish(list);
  return list;
}

/** Of the certificate that the ingress shows for the rotated name; '' when it did not answer. */
export async function serialServed({ ports }: DemoWorld): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port: ports.public,
    servername: rotatedFqdn,
    rejectUnauthorized: false, // what is shown is looked at, nothing is sent
  });
  try {
    await once(socket, 'secureConnect');
    const shown = socket.getPeerX509Certificate();
    return shown instanceof X509Certificate ? shown.serialNumber.toLowerCase() : '';
  } catch {
    return ''; // the caller asks again
  } finally {
    socket.on('error', () => undefined); // the ingress refuses a caller without certificate after its own was seen
    socket.destroy();
  }
}
