/**
 * One site for scenarios: a real PACS, a strict DMP, Pro Sante Connect, a signed whitelist, one gateway that ends TLS itself; or
 * several, with a PostgreSQL that they share.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DmpEntry, type DmpSimulator, startDmp } from '../parts/dmp.ts';
import { type GatewayPart, prepareGateway } from '../parts/gateway.ts';
import { type Orthanc, startOrthanc } from '../parts/orthanc.ts';
import { patients } from '../parts/patients.ts';
import { createPki, type Issued, type Pki } from '../parts/pki.ts';
import { freePort } from '../parts/ports.ts';
import { type Postgres, startPostgres } from '../parts/postgres.ts';
import { type ProSanteConnect, startProSanteConnect } from '../parts/pro-sante-connect.ts';
import { aReport, aStudy, type ReportSpec } from '../parts/reports.ts';
import { type GeneratedStudy, generateStudy, type StudyKind } from '../parts/studies.ts';
import { signWhitelist } from '../parts/whitelist.ts';

export const structureId = '1750000001';
export const professionalId = '899999999901';
export const sendingApplication = 'RIS_SCENARIO';
export const wadoFqdn = 'db1.site.example';

export interface Site {
  readonly directory: string;
  readonly pki: Pki;
  readonly dmp: DmpSimulator;
  readonly psc: ProSanteConnect;
  readonly orthanc: Orthanc;
  /** The first of them. */
  readonly gateway: GatewayPart;
  readonly gateways: readonly GatewayPart[];
  /** What several gateways share. */
  readonly postgres: Postgres | undefined;
  /** A listed DRIMbox that may ask for images. */
  readonly caller: Issued;
  putStudy(studyUid: string, kind?: StudyKind, images?: number): Promise<GeneratedStudy>;
  report(studyUid: string, over?: Partial<Omit<ReportSpec, 'cda'>>): ReportSpec;
  kosOf(studyUid: string): readonly DmpEntry[];
  /** Log lines of a gateway as objects. */
  journal(index?: number): readonly Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

/** AE titles that images come back to. */
export const pool = ['DRIM1', 'DRIM2', 'DRIM3'];
export const archiveDatabase = 'archive';

export async function openSite(name: string, replicas = 1): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), `drimbox-${name}-`));
  const pki = await createPki(join(directory, 'pki'));
  const issue = (commonName: string, kind: 'SERV_SSL' | 'AUTH_CLI' | 'SIGN'): Promise<Issued> =>
    pki.issue({ commonName, organizationalUnit: structureId, kind });
  const service = await issue('localhost', 'SERV_SSL');
  const server = await issue(wadoFqdn, 'SERV_SSL');
  const client = await issue('psc-client', 'AUTH_CLI');
  const caller = await pki.issue({
    commonName: 'db9.caller.example',
    organizationalUnit: '1750000009',
    kind: 'SERV_SSL',
  });
  const whitelistFile = join(directory, 'whitelist.xml');
  const signer = await pki.issue({
    commonName: 'Liste Blanche DRIM-M',
    organizationalUnit: '318751275100020',
    kind: 'SIGN',
  });
  const listed = (commonName: string, organizationalUnit: string) => ({
    db: commonName,
    vi: commonName.replace('db', 'vi'),
    commonName,
    organizationalUnit,
  });
  writeFileSync(
    whitelistFile,
    signWhitelist({
      domains: [listed(wadoFqdn, structureId), listed('db9.caller.example', '1750000009')],
      signer,
      pki,
    }),
  );
  const files = { certificateFile: service.certificateFile, keyFile: service.keyFile };
  const dmp = await startDmp({
    directory: join(directory, 'dmp'),
    ...files,
    clientCaFile: pki.bundleFile,
    crlFile: pki.crlBundleFile,
  });
  const psc = await startProSanteConnect({
    pki,
    server: service,
    clients: { 'psc-client': 'psc-client' },
    professionals: { [professionalId]: { family: 'MODELE', given: 'Zoé', structureId: '1750000009' } },
  });
  const dimsePorts = await Promise.all(Array.from({ length: replicas }, () => freePort()));
  // the PACS is told where each title is: at the gateway whose share it is
  const modalities = Object.fromEntries(
    pool.map((aeTitle, index) => [aeTitle, { aeTitle, host: '127.0.0.1', port: dimsePorts[index % replicas] ?? 0 }]),
  );
  const orthanc = await startOrthanc({
    directory: join(directory, 'pacs'),
    noDelay: true,
    modalities,
    throwaway: true,
  });
  const postgres = replicas === 1 ? undefined : await startPostgres({ fsync: false, tls: service });
  await postgres?.addDatabase(archiveDatabase, 'gateway', 'of the test');
  const passwordFile = join(directory, 'database-password');
  writeFileSync(passwordFile, 'of the test\n');
  const database = postgres && {
    host: 'localhost',
    port: postgres.port,
    database: archiveDatabase,
    user: 'gateway',
    passwordFile,
    trustFile: pki.bundleFile,
  };
  const spec = {
    pki,
    server,
    authentication: await issue('drimbox', 'AUTH_CLI'),
    signature: await issue('drimbox', 'SIGN'),
    introspection: { url: psc.introspectionUrl, client, clientId: 'psc-client' },
    whitelistFile,
    dmpUrl: dmp.url,
    structureId,
    pacs: [
      {
        name: 'pacs',
        host: orthanc.host,
        port: orthanc.dicomPort,
        aeTitle: orthanc.aeTitle,
        aeTitlePool: pool,
        wadoFqdn,
      },
    ],
    sendingApplication,
  };
  const directoryOf = (index: number): string => join(directory, index === 0 ? 'gateway' : `gateway-${index}`);
  const gateways = await Promise.all(
    dimsePorts.map((dimsePort, index) =>
      prepareGateway({
        ...spec,
        directory: directoryOf(index),
        dimsePort,
        ...(database && { shared: { postgres: database, index, replicas } }),
      }),
    ),
  );
  const [gateway] = gateways;
  if (gateway === undefined) throw new RangeError('a site has one gateway at least');
  return {
    directory,
    pki,
    dmp,
    psc,
    orthanc,
    gateway,
    gateways,
    postgres,
    caller,
    async putStudy(studyUid, kind = 'SR', images = 1) {
      const study = await generateStudy(
        { kind, images, patient: patients.marie, patientId: patients.marie.ipp, studyUid },
        join(directory, 'images', studyUid),
      );
      for (const { file } of study.instances) await orthanc.upload(file);
      return study;
    },
    report: (studyUid, over = {}) =>
      aReport({
        sendingApplication,
        controlId: `C${studyUid.slice(-16)}`,
        ...over,
        cda: {
          id: `${studyUid}.9`,
          studies: [{ ...aStudy, studyInstanceUid: studyUid }],
          structure: { id: structureId, name: 'Centre d’essai' },
        },
      }),
    kosOf: (studyUid) =>
      dmp
        .entries()
        .filter(({ kind, referenceIds }) => kind === 'kos' && referenceIds.some((id) => id.startsWith(`${studyUid}^`))),
    journal: (index = 0) =>
      readFileSync(join(directoryOf(index), 'gateway.log'), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
    async close() {
      await postgres?.stop();
      await orthanc.stop();
      await psc.close();
      await dmp.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** @throws Error saying what was waited for. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
  everyMs = 20,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`still waiting after ${timeoutMs / 1000} s: ${what}`);
    await sleep(everyMs);
  }
}
