/** Orthanc (Debian's) as a PACS: own directory, own ports, DICOMweb when the plugin is there. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

export interface DicomPeer {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
}

export interface OrthancOptions {
  /** Made when absent; holds its database, images and log. */
  readonly directory: string;
  /** True turns Nagle's algorithm off (TCP_NODELAY=1 of DCMTK); Debian's default is false. */
  readonly noDelay: boolean;
  readonly modalities: Readonly<Record<string, DicomPeer>>;
  readonly aeTitle?: string;
  /** `Never` leaves SOPClassUID empty in C-FIND at IMAGE level. Default of Orthanc: `Always`. */
  readonly storageAccessOnFind?: 'Always' | 'Never';
  /** Killed at the end instead of asked to stop, which takes Orthanc some three seconds. */
  readonly throwaway?: boolean;
  /** The ports of an earlier life, so that whoever knew it finds it again; free ones when absent. */
  readonly ports?: { readonly dicom: number; readonly http: number };
  /** At an address of its own, maybe in a network namespace; on loopback here otherwise. */
  readonly place?: { readonly networkNamespace?: string; readonly host: string };
  /** More settings of Configuration.json. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Orthanc {
  readonly part: Part;
  readonly aeTitle: string;
  readonly host: string;
  readonly dicomPort: number;
  readonly httpPort: number;
  /** @throws Error with Orthanc's answer when it does not take the file */
  upload(file: string): Promise<void>;
  /** A C-MOVE destination, known from then on. */
  addModality(name: string, peer: DicomPeer): Promise<void>;
  /** REST call; JSON in and out. */
  rest(method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

const dicomWeb = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';

export async function startOrthanc(options: OrthancOptions): Promise<Orthanc> {
  const { directory, aeTitle = 'ORTHANC' } = options;
  const host = options.place?.host ?? '127.0.0.1';
  const [dicomPort, httpPort] = [options.ports?.dicom ?? (await freePort()), options.ports?.http ?? (await freePort())];
  await mkdir(directory, { recursive: true });
  const configuration = join(directory, 'orthanc.json');
  await writeFile(configuration, JSON.stringify(configure(options, aeTitle, dicomPort, httpPort), undefined, 2));
  const base = `http://${host}:${httpPort}`;
  const part = await startProcess({
    name: `Orthanc ${aeTitle}`,
    command: '/usr/sbin/Orthanc',
    args: [configuration],
    env: { TCP_NODELAY: options.noDelay ? '1' : undefined },
    ...(options.place?.networkNamespace !== undefined && { networkNamespace: options.place.networkNamespace }),
    logFile: join(directory, 'orthanc.log'),
    ready: async () => (await fetch(`${base}/system`)).ok,
  });
  const rest = async (method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<unknown> => {
    const response = await fetch(base + path, { method, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`Orthanc: ${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    part,
    aeTitle,
    host,
    dicomPort,
    httpPort,
    upload: async (file) => void (await rest('POST', '/instances', await readFile(file))),
    addModality: async (name, peer) =>
      void (await rest('PUT', `/modalities/${name}`, JSON.stringify([peer.aeTitle, peer.host, peer.port]))),
    rest: (method, path, body) => rest(method, path, body === undefined ? undefined : JSON.stringify(body)),
    async stop() {
      if (options.throwaway === true) part.kill('SIGKILL');
      await part.stop();
      await part.ended;
    },
  };
}

function configure(o: OrthancOptions, aeTitle: string, dicomPort: number, httpPort: number): Record<string, unknown> {
  const modalities = Object.fromEntries(
    Object.entries(o.modalities).map(([name, peer]) => [name, [peer.aeTitle, peer.host, peer.port]]),
  );
  return {
    Name: aeTitle,
    StorageDirectory: join(o.directory, 'storage'),
    IndexDirectory: join(o.directory, 'storage'),
    StorageCompression: false,
    ConcurrentJobs: 8,
    RemoteAccessAllowed: o.place !== undefined,
    AuthenticationEnabled: false,
    HttpPort: httpPort,
    HttpBindAddresses: [o.place?.host ?? '127.0.0.1'],
    DicomServerEnabled: true,
    DicomAet: aeTitle,
    DicomPort: dicomPort,
    DicomCheckCalledAet: true,
    DicomCheckModalityHost: false,
    DicomAlwaysAllowEcho: true,
    DicomAlwaysAllowStore: true,
    DicomAlwaysAllowFind: true,
    DicomAlwaysAllowMove: true,
    DicomModalities: modalities,
    MaximumPduLength: 131_072,
    DicomThreadsCount: 8,
    DefaultEncoding: 'Latin1',
    StorageAccessOnFind: o.storageAccessOnFind ?? 'Always',
    Plugins: existsSync(dicomWeb) ? [dicomWeb] : [],
    ...o.settings,
  };
}
