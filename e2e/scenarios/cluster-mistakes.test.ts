/**
 * One mistake of each kind, as somebody new to it makes them, each on a real cluster: what kubectl and `kubectl drimbox explain` say
 * leads to what is to be mended, and mending it is all there is to do.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments, stringify } from 'yaml';
import { conditionOf, seen } from '../cluster/objects.ts';
import { readerOf } from '../cluster/reader.ts';
import { systemNamespace } from '../cluster/installation.ts';
import { type ClusterStage, openClusterStage } from '../cluster/stage.ts';
import { createNarrator } from '../demo/narrator.ts';
import { fqdnOf, namespace } from '../demo/world.ts';
import { asked } from '../parts/cluster/api.ts';
import type { Issued } from '../parts/pki.ts';

const root = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'drimbox-mistakes-'));
const narrator = createNarrator(true);
const stage: ClusterStage = await openClusterStage({ directory: join(directory, 'stage'), images: 3, narrator });
const { cluster } = stage;
const scenarios = suite('one mistake');
const { explain, says, untilCondition, untilReady } = readerOf(cluster, namespace);
const site = 'drimboxsite/sud';
const link = 'pacslink/pacs-sud';

scenarios.after(async () => {
  await stage.stop();
  rmSync(directory, { recursive: true, force: true });
});

const kubectl = async (...args: readonly string[]): Promise<string> => await cluster.kubectl('-n', namespace, ...args);
const patch = async (name: string, change: object): Promise<string> =>
  await kubectl('patch', name, '--type=merge', '-p', JSON.stringify(change));

async function secret(
  name: string,
  { certificateFile, keyFile }: Pick<Issued, 'certificateFile' | 'keyFile'>,
): Promise<void> {
  const files = [`--from-file=tls.crt=${certificateFile}`, `--from-file=tls.key=${keyFile}`];
  const made = await kubectl(
    'create',
    'secret',
    'generic',
    name,
    '--type=kubernetes.io/tls',
    ...files,
    '--dry-run=client',
    '-o',
    'yaml',
  );
  await cluster.kubectlWith(made, 'apply', '--server-side', '--force-conflicts', '-f', '-');
}

const own = stage.sites[1]?.spec.links[0];
if (own === undefined) throw new Error('the demo has two sites');

scenarios('kubectl wait tells when all is well, and nothing looks ready before somebody looked', async () => {
  await cluster.kubectl('wait', '--for=condition=Ready', 'trustspace/test', '--timeout=30s');
  await kubectl('wait', '--for=condition=Ready', site, link, '--timeout=30s');
  await cluster.kubectl('-n', systemNamespace, 'scale', 'deployment', 'drimbox-operator', '--replicas=0');
  const copy = await asked<{ spec: object }>(
    cluster,
    `/apis/drimbox.dev/v1alpha1/namespaces/${namespace}/pacslinks/pacs-sud`,
  );
  const born = {
    apiVersion: 'drimbox.dev/v1alpha1',
    kind: 'PacsLink',
    metadata: { name: 'born', namespace },
    spec: copy.spec,
  };
  await cluster.kubectlWith(JSON.stringify(born), 'apply', '-f', '-');
  const fresh = await seen(cluster, namespace, 'pacslink/born');
  assert.is(conditionOf(fresh, 'Ready')?.status, 'Unknown');
  assert.ok((fresh.status?.observedGeneration ?? -1) < fresh.metadata.generation);
  assert.match(await explain('link/born'), /no operator has looked at it yet/);
  await cluster.kubectl('-n', systemNamespace, 'scale', 'deployment', 'drimbox-operator', '--replicas=1');
  await says('pacslink/born', {
    type: 'Accepted',
    reason: 'FqdnClash',
    message: /db1\.sud\.demo\.example already belongs to PacsLink ght-demo\/pacs-sud/,
    advice: /give this link an FQDN of its own, or delete the other one/,
    stalled: true,
  });
  await kubectl('delete', 'pacslink', 'born');
  await untilReady(site, link);
});

scenarios('an unknown host of a PACS', async () => {
  await patch(link, { spec: { node: { host: 'pacs.nowhere.example' } } });
  await says(link, {
    type: 'PacsReachable',
    reason: 'EchoFailed',
    message: /pacs\.nowhere\.example:\d+: the name of the host (is not known|could not be looked up)/,
    advice: /check spec\.node \(host, port, AE title\)/,
    stalled: false,
  });
  await patch(link, { spec: { node: { host: own.pacs.host } } });
  await untilReady(link, site);
});

scenarios('a Secret that is not there', async () => {
  await kubectl('delete', 'secret', 'pacs-sud-db');
  await says(link, {
    type: 'CertificatesReady',
    reason: 'SecretNotFound',
    message:
      /Secret ght-demo\/pacs-sud-db: does not exist; make it, with tls\.crt and tls\.key; the last good one stays in service/,
    advice: /make the Secret, type kubernetes\.io\/tls/,
    stalled: false,
  });
  await secret('pacs-sud-db', own.db.certificate);
  await untilReady(link, site);
});

scenarios('a certificate for another name', async () => {
  await secret('pacs-sud-db', own.vi.certificate);
  await says(link, {
    type: 'CertificatesReady',
    reason: 'WrongName',
    message:
      /Secret ght-demo\/pacs-sud-db: the certificate is not for db1\.sud\.demo\.example but for vi1\.sud\.demo\.example/,
    advice: /ask the authority for a certificate with this FQDN/,
    stalled: true,
  });
  await secret('pacs-sud-db', own.db.certificate);
  await untilReady(link, site);
});

scenarios('a key of another certificate', async () => {
  await secret('pacs-sud-db', {
    certificateFile: own.db.certificate.certificateFile,
    keyFile: own.vi.certificate.keyFile,
  });
  await says(link, {
    type: 'CertificatesReady',
    reason: 'KeyMismatch',
    message: /Secret ght-demo\/pacs-sud-db: tls\.key is not the key of the first certificate in tls\.crt/,
    advice: /tls\.key belongs to another certificate; correct the Secret/,
    stalled: true,
  });
  await secret('pacs-sud-db', own.db.certificate);
  await untilReady(link, site);
});

scenarios('a certificate of an authority that is not an anchor', async () => {
  const { pki } = stage.services;
  const commonName = fqdnOf('db', 'sud');
  const organizationalUnit = '1750000002';
  const foreign = await pki.issue({ commonName, organizationalUnit, kind: 'SERV_SSL', issuer: pki.foreign });
  await secret('pacs-sud-db', foreign);
  await says(link, {
    type: 'CertificatesReady',
    reason: 'UntrustedChain',
    message: /Secret ght-demo\/pacs-sud-db: .*no path to an anchor/,
    advice: /add the intermediate authorities to tls\.crt.*correct the TrustSpace/,
    stalled: true,
  });
  await secret('pacs-sud-db', own.db.certificate);
  await untilReady(link, site);
});

scenarios('a CIDR that is none is refused by kubectl apply, with the field', async () => {
  const change = JSON.stringify({ spec: { ingress: { weatherProbes: ['10.0.0.0/33'] } } });
  const why = await cluster.kubectl('patch', 'trustspace', 'test', '--type=merge', '-p', change).then(String, String);
  assert.match(why, /spec\.ingress\.weatherProbes\[0\]/);
  assert.match(why, /must be an address range such as/);
});

scenarios('an image that is not there, then the right one: no pod has to be deleted by hand', async () => {
  const chart = join(root, 'charts/drimbox');
  const upgrade = ['upgrade', 'drimbox', chart, '-n', systemNamespace, '--reuse-values'];
  await cluster.helm(...upgrade, '--set', 'images.gateway.tag=nowhere');
  await says(site, {
    type: 'WorkloadAvailable',
    reason: 'ErrImageNeverPull',
    message: /drimbox\.dev\/gateway:nowhere/,
    advice: /images\.gateway/,
    stalled: false,
  });
  await cluster.helm('rollback', 'drimbox', '1', '-n', systemNamespace);
  await untilReady(site, 'drimboxsite/nord');
});

/** A site of its own, made as a person would: the YAML of another one with other names. */
async function newSite(change: (spec: Record<string, unknown>) => void): Promise<void> {
  const yaml = readFileSync(join(stage.directory, 'resources/sud.yaml'), 'utf8').replaceAll('.sud.', '.est.');
  const [first, second] = parseAllDocuments(yaml).map((one) => one.toJS() as Made);
  if (first === undefined || second === undefined) throw new Error('a site and its link were expected');
  first.metadata.name = 'est';
  second.metadata.name = 'pacs-est';
  first.spec['ris'] = [{ name: 'ris-est', sendingApplication: 'RIS_EST', pacs: ['pacs-est'] }];
  first.spec['service'] = { type: 'ClusterIP' };
  first.spec['sourceId'] = '2.25.100000009';
  second.spec['site'] = 'est';
  change(first.spec);
  const { pki } = stage.services;
  for (const kind of ['db', 'vi'] as const) {
    const commonName = fqdnOf(kind, 'est');
    const asked = {
      commonName,
      organizationalUnit: '1750000002',
      kind: kind === 'db' ? 'SERV_SSL' : 'MARKET',
    } as const;
    await secret(`pacs-est-${kind}`, await pki.issue(asked));
    second.spec[kind] = { fqdn: commonName, certificate: { secretName: `pacs-est-${kind}` } };
  }
  const file = join(directory, 'est.yaml');
  writeFileSync(file, `${stringify(first)}---\n${stringify(second)}`);
  await kubectl('apply', '-f', file);
}

interface Made {
  readonly metadata: { name: string };
  readonly spec: Record<string, unknown>;
}

scenarios('a trust space that is not there', async () => {
  await newSite((spec) => (spec['trustSpace'] = 'production'));
  await says('drimboxsite/est', {
    type: 'Accepted',
    reason: 'TrustSpaceNotFound',
    message: /no TrustSpace production/,
    advice: /make the TrustSpace \(kubectl get trustspaces lists them\)/,
    stalled: false,
  });
  await kubectl('delete', 'drimboxsite/est', 'pacslink/pacs-est');
});

scenarios('a class of storage that is not there, and a claim that can not be changed', async () => {
  await newSite((spec) => (spec['storage'] = { storageClassName: 'fast', sizeGiB: 1 }));
  await says('drimboxsite/est', {
    type: 'WorkloadAvailable',
    reason: 'Unschedulable',
    message:
      /PersistentVolumeClaims?.*; the claim of this site asks for class fast \(spec\.storage\.storageClassName\)/,
    advice: /storageClassName/,
    stalled: false,
  });
  await patch('drimboxsite/est', { spec: { storage: { storageClassName: 'local' } } });
  await says('drimboxsite/est', {
    type: 'WorkloadAvailable',
    reason: 'NotWritten',
    message: /PersistentVolumeClaim ght-demo\/drimbox-est-data: /,
    advice: /kubectl delete pvc/,
    stalled: false,
  });
  await kubectl('delete', 'pvc', 'drimbox-est-data', '--wait=false');
  await kubectl('delete', 'pod', 'drimbox-est-0');
  // The list does not name it: the gateway runs, and says so
  await untilCondition('drimboxsite/est', 'WorkloadAvailable', 'OwnEntryMissing');
  await says('drimboxsite/est', {
    type: 'WhitelistVerified',
    reason: 'OwnEntryMissing',
    message: /this DRIMbox is not on the list: WADO-RS is off/,
    advice: /have it added by ANS/,
    stalled: false,
  });
});

scenarios.run();
