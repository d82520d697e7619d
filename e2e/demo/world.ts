/** Two sites and what surrounds them: real PACS, the national services as simulators, invented patients, all on loopback. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startDmp, type DmpSimulator } from '../parts/dmp.ts';
import { type SiteSpec, writeGroup } from '../parts/group.ts';
import { type Orthanc, startOrthanc } from '../parts/orthanc.ts';
import { patients } from '../parts/patients.ts';
import type { Issued, Pki } from '../parts/pki.ts';
import { type Place, loopback } from '../parts/place.ts';
import { freePort } from '../parts/ports.ts';
import { type ProSanteConnect, startProSanteConnect } from '../parts/pro-sante-connect.ts';
import { aReport, aStudy, type ReportSpec } from '../parts/reports.ts';
import { type GeneratedStudy, generateStudy } from '../parts/studies.ts';
import { signWhitelist, startWhitelistServer, type WhitelistServer } from '../parts/whitelist.ts';

export const namespace = 'ght-demo';
export const professional = { id: '899999999901', family: 'MODELE', given: 'Zoé' };

export interface DemoSite {
  readonly spec: SiteSpec;
  readonly orthanc: Orthanc;
}

export interface NationalServices {
  readonly pki: Pki;
  readonly dmp: DmpSimulator;
  readonly psc: ProSanteConnect;
  readonly whitelist: WhitelistServer;
  /** Client of Pro Sante Connect for the remote viewer. */
  readonly viewer: Issued;
  readonly introspector: Issued;
  /** Signs the whitelist. */
  readonly signer: Issued;
}

export interface Ports {
  readonly public: number;
  readonly mllp: readonly number[];
  readonly dimse: readonly number[];
}

const structures = [
  { id: '1750000001', name: 'Centre d’imagerie Nord' },
  { id: '1750000002', name: 'Centre d’imagerie Sud' },
] as const;
const names = ['nord', 'sud'] as const;
export type SiteName = (typeof names)[number];
export const fqdnOf = (kind: 'db' | 'vi', site: string): string => `${kind}1.${site}.demo.example`;

export async function takePorts(): Promise<Ports> {
  const taken: number[] = [];
  for (let n = 0; n < 5; n++) taken.push(await freePort());
  const [publicPort = 0, m1 = 0, m2 = 0, d1 = 0, d2 = 0] = taken;
  return { public: publicPort, mllp: [m1, m2], dimse: [d1, d2] };
}

export async function startNationalServices(
  directory: string,
  pki: Pki,
  place: Place = loopback,
): Promise<NationalServices> {
  const service = await pki.issue({ commonName: place.name, organizationalUnit: '1000000001', kind: 'SERV_SSL' });
  const signer = await pki.issue({
    commonName: 'Liste Blanche DRIM-M',
    organizationalUnit: '318751275100020',
    kind: 'SIGN',
  });
  const introspector = await pki.issue({
    commonName: 'drimbox-demo',
    organizationalUnit: structures[0].id,
    kind: 'AUTH_CLI',
  });
  const viewer = await pki.issue({ commonName: 'viewer-demo', organizationalUnit: structures[1].id, kind: 'AUTH_CLI' });
  const files = { certificateFile: service.certificateFile, keyFile: service.keyFile };
  const dmp = await startDmp({
    directory: join(directory, 'dmp'),
    ...files,
    place,
    clientCaFile: pki.bundleFile,
    crlFile: pki.crlBundleFile,
  });
  const psc = await startProSanteConnect({
    pki,
    place,
    server: service,
    clients: { 'drimbox-demo': 'drimbox-demo', 'viewer-demo': 'viewer-demo' },
    professionals: {
      [professional.id]: { family: professional.family, given: professional.given, structureId: structures[1].id },
    },
  });
  const domains = names.map((name, index) => ({
    db: fqdnOf('db', name),
    vi: fqdnOf('vi', name),
    commonName: fqdnOf('db', name),
    organizationalUnit: structures[index]?.id ?? '',
  }));
  const whitelist = await startWhitelistServer(pki, signWhitelist({ domains, signer, pki }), place);
  return { pki, dmp, psc, whitelist, viewer, introspector, signer };
}

export async function startSites(
  directory: string,
  pki: Pki,
  ports: Ports,
  placing: (name: SiteName) => Placing = () => ({}),
): Promise<readonly DemoSite[]> {
  return await Promise.all(names.map((name) => startSite(directory, pki, ports, name, placing(name))));
}

/** How a site differs from the demo's: its PACS with Nagle's algorithm, or elsewhere on a network. */
export interface Placing {
  readonly noDelay?: boolean;
  readonly pacs?: { readonly networkNamespace?: string; readonly host: string };
  /** Address at which the PACS reaches the gateway, and the port when it is not the site's own: by the title's place in the pool. */
  readonly gatewayHost?: string;
  readonly gatewayPort?: number | ((title: number) => number);
}

export async function startSite(
  directory: string,
  pki: Pki,
  ports: Ports,
  name: SiteName,
  placing: Placing = {},
): Promise<DemoSite> {
  const index = names.indexOf(name);
  const pool = [1, 2, 3].map((n) => `${name.toUpperCase()}_DRIM${n}`);
  const dimsePort = ports.dimse[index] ?? 0;
  const modalities = Object.fromEntries(
    pool.map((aeTitle, title) => {
      const { gatewayHost = '127.0.0.1', gatewayPort = dimsePort } = placing;
      const port = typeof gatewayPort === 'number' ? gatewayPort : gatewayPort(title);
      return [aeTitle, { aeTitle, host: gatewayHost, port }];
    }),
  );
  const orthanc = await startOrthanc({
    directory: join(directory, `pacs-${name}`),
    noDelay: placing.noDelay ?? true,
    ...(placing.pacs && { place: placing.pacs }),
    modalities,
    aeTitle: `PACS_${name.toUpperCase()}`,
  });
  const structure = structures[index] ?? structures[0];
  const issue = (commonName: string, kind: 'SERV_SSL' | 'MARKET' | 'AUTH_CLI' | 'SIGN'): Promise<Issued> =>
    pki.issue({ commonName, organizationalUnit: structure.id, kind });
  const spec: SiteSpec = {
    name,
    structure,
    sourceId: `2.25.10000000${index + 1}`,
    sendingApplication: `RIS_${name.toUpperCase()}`,
    mllpPort: ports.mllp[index] ?? 0,
    dimsePort,
    authentication: await issue(`drimbox-${name}`, 'AUTH_CLI'),
    signature: await issue(`drimbox-${name}`, 'SIGN'),
    links: [
      {
        name: `pacs-${name}`,
        pacs: { host: orthanc.host, port: orthanc.dicomPort, aeTitle: orthanc.aeTitle },
        callingAeTitle: `${name.toUpperCase()}_DRIM`,
        aeTitlePool: pool,
        maxConcurrentMoves: 3,
        retrieveLocationUid: `2.25.20000000${index + 1}`,
        db: { fqdn: fqdnOf('db', name), certificate: await issue(fqdnOf('db', name), 'SERV_SSL') },
        vi: { fqdn: fqdnOf('vi', name), certificate: await issue(fqdnOf('vi', name), 'MARKET') },
      },
    ],
  };
  return { spec, orthanc };
}

export async function putImages(directory: string, orthanc: Orthanc, images: number): Promise<GeneratedStudy> {
  const patient = patients.marie;
  const folder = join(directory, 'images');
  mkdirSync(folder, { recursive: true });
  const study = await generateStudy(
    {
      kind: 'CT',
      images,
      patient,
      patientId: patient.ipp,
      studyUid: `2.25.${BigInt(Date.now()) * 1_000_000n + BigInt(process.pid)}`,
      studyDescription: 'Scanner du crâne',
      seriesDescription: 'Axial',
      accessionNumber: 'ACN2001',
    },
    folder,
  );
  for (const { file } of study.instances) await orthanc.upload(file);
  return study;
}

export function reportFor(site: SiteSpec, study: GeneratedStudy): ReportSpec {
  return aReport({
    controlId: `DEMO${Date.now()}`,
    sendingApplication: site.sendingApplication,
    patient: patients.marie,
    cda: {
      id: `2.25.${BigInt(Date.now()) * 1_000_000n + 1n}`,
      studies: [{ ...aStudy, studyInstanceUid: study.studyUid }],
      orders: [
        {
          accession: { value: 'ACN2001', authority: '1.2.250.1.999.1.1' },
          placer: { value: 'OPN2001', authority: '1.2.250.1.999.1.2' },
        },
      ],
      structure: site.structure,
      professional,
    },
  });
}

export function writeResources(
  directory: string,
  services: NationalServices,
  sites: readonly DemoSite[],
  ports: Pick<Ports, 'public'>,
  weatherProbes?: readonly string[],
): readonly string[] {
  return writeGroup(directory, {
    namespace,
    pki: services.pki,
    whitelistUrl: services.whitelist.listUrl,
    signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' },
    crlUrls: services.whitelist.crlUrls,
    dmpUrl: services.dmp.url,
    introspection: { url: services.psc.introspectionUrl, clientId: 'drimbox-demo', certificate: services.introspector },
    publicPort: ports.public,
    ...(weatherProbes !== undefined && { weatherProbes }),
    sites: sites.map(({ spec }) => spec),
  });
}
