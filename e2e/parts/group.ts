/** Writes the resources of a hospital group as a person would: YAML in a folder, certificates in secrets/NAMESPACE/NAME. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Issued, Pki } from './pki.ts';

export interface LinkSpec {
  readonly name: string;
  readonly pacs: { readonly host: string; readonly port: number; readonly aeTitle: string };
  readonly callingAeTitle: string;
  readonly aeTitlePool: readonly string[];
  readonly maxConcurrentMoves: number;
  readonly retrieveLocationUid: string;
  readonly db: { readonly fqdn: string; readonly certificate: Issued };
  readonly vi: { readonly fqdn: string; readonly certificate: Issued };
  /** More of `spec`, as in the YAML. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface SiteSpec {
  readonly name: string;
  readonly structure: { readonly id: string; readonly name: string };
  readonly sourceId: string;
  readonly sendingApplication: string;
  readonly mllpPort: number;
  readonly dimsePort: number;
  readonly authentication: Issued;
  readonly signature: Issued;
  readonly links: readonly LinkSpec[];
  /** More of `spec`, as in the YAML. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface GroupSpec {
  readonly namespace: string;
  readonly pki: Pki;
  readonly whitelistUrl: string;
  readonly signer: { readonly commonName: string; readonly organizationalUnit: string };
  readonly crlUrls: readonly string[];
  readonly dmpUrl: string;
  readonly introspection: { readonly url: string; readonly clientId: string; readonly certificate: Issued };
  readonly publicPort: number;
  /** CIDR of whoever asks for health; the loopback unless told. */
  readonly weatherProbes?: readonly string[];
  readonly sites: readonly SiteSpec[];
}

const apiVersion = 'drimbox.dev/v1alpha1';

/** @returns the files written, the resources first. */
export function writeGroup(directory: string, group: GroupSpec): readonly string[] {
  mkdirSync(directory, { recursive: true });
  const secret = (name: string, issued: Issued): { secretName: string } => {
    writeSecret(directory, group.namespace, name, issued);
    return { secretName: name };
  };
  secret('psc-client', group.introspection.certificate);
  const files = [write(directory, 'trust-space.yaml', [trustSpace(group)])];
  for (const site of group.sites) {
    const resources = [
      siteResource(group, site, secret),
      ...site.links.map((link) => linkResource(group, site, link, secret)),
    ];
    files.push(write(directory, `${site.name}.yaml`, resources));
  }
  return files;
}

/** The Secret as a folder; written again, it is a rotation. */
export function writeSecret(
  directory: string,
  namespace: string,
  name: string,
  issued: Pick<Issued, 'certificateFile' | 'keyFile'>,
): void {
  const folder = join(directory, 'secrets', namespace, name);
  mkdirSync(folder, { recursive: true });
  copyFileSync(issued.keyFile, join(folder, 'tls.key'));
  copyFileSync(issued.certificateFile, join(folder, 'tls.crt'));
}

function write(directory: string, name: string, resources: readonly object[]): string {
  const file = join(directory, name);
  writeFileSync(file, resources.map((resource) => stringify(resource, { lineWidth: 0 })).join('---\n'));
  return file;
}

function trustSpace(group: GroupSpec): object {
  const anchors = { inline: readFileSync(group.pki.bundleFile, 'utf8') };
  return {
    apiVersion,
    kind: 'TrustSpace',
    metadata: { name: 'test' },
    spec: {
      environment: 'TEST',
      whitelist: { url: group.whitelistUrl, signer: group.signer, requireRevocation: true },
      anchors,
      crls: { sources: group.crlUrls.map((url) => ({ url })) },
      introspection: {
        mode: 'rfc7662',
        url: group.introspection.url,
        clientId: group.introspection.clientId,
        clientCertificate: { namespace: group.namespace, name: 'psc-client' },
        trust: anchors,
        timeoutSeconds: 5,
      },
      dmp: {
        url: group.dmpUrl,
        trust: anchors,
        homologationId: 'TEST-0001',
        timeoutSeconds: 30,
        retry: { initialSeconds: 1, maximumSeconds: 5 },
      },
      ingress: { publicPort: group.publicPort, weatherProbes: group.weatherProbes ?? ['127.0.0.0/8'] },
    },
  };
}

type SecretMaker = (name: string, issued: Issued) => { secretName: string };

function siteResource(group: GroupSpec, site: SiteSpec, secret: SecretMaker): object {
  return {
    apiVersion,
    kind: 'DrimboxSite',
    metadata: { namespace: group.namespace, name: site.name },
    spec: {
      trustSpace: 'test',
      structure: site.structure,
      sourceId: site.sourceId,
      ris: [
        {
          name: `ris-${site.name}`,
          sendingApplication: site.sendingApplication,
          pacs: site.links.map(({ name }) => name),
        },
      ],
      dmp: {
        certificates: [
          {
            structureId: site.structure.id,
            authentication: secret(`${site.name}-auth-cli`, site.authentication),
            signature: secret(`${site.name}-sign`, site.signature),
          },
        ],
      },
      mllp: { port: site.mllpPort },
      dimse: { port: site.dimsePort },
      ...site.more,
    },
  };
}

function linkResource(group: GroupSpec, site: SiteSpec, link: LinkSpec, secret: SecretMaker): object {
  return {
    apiVersion,
    kind: 'PacsLink',
    metadata: { namespace: group.namespace, name: link.name },
    spec: {
      site: site.name,
      node: link.pacs,
      callingAeTitle: link.callingAeTitle,
      aeTitlePool: link.aeTitlePool,
      retrieveLocationUid: link.retrieveLocationUid,
      db: { fqdn: link.db.fqdn, certificate: secret(`${link.name}-db`, link.db.certificate) },
      vi: { fqdn: link.vi.fqdn, certificate: secret(`${link.name}-vi`, link.vi.certificate) },
      limits: { maxConcurrentMoves: link.maxConcurrentMoves },
      ...link.more,
    },
  };
}
