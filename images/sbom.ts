/** A bill of materials: CycloneDX 1.6, JSON. The same bytes for the same image: no serial number, no time but the build's. */
import type { DebianPackage } from './libraries.ts';
import type { NpmPackage } from './packages.ts';

export interface Materials {
  /** `drimbox.dev/gateway:0.1.0`. */
  readonly reference: string;
  readonly version: string;
  /** `sha256:HEX` of the manifest. */
  readonly digest: string;
  readonly npm: readonly NpmPackage[];
  readonly debian: readonly DebianPackage[];
  /** Node or Envoy. */
  readonly programs: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly license: string;
  }[];
}

export function billOfMaterials(materials: Materials, time: number): object {
  const { reference, version, digest } = materials;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(time * 1000).toISOString(),
      component: {
        type: 'container',
        'bom-ref': reference,
        name: reference,
        version,
        hashes: [{ alg: 'SHA-256', content: digest.slice('sha256:'.length) }],
      },
    },
    components: [
      ...materials.programs.map(({ name, version: released, purl, license }) => ({
        type: 'application',
        'bom-ref': purl,
        name,
        version: released,
        purl,
        licenses: [{ expression: license }],
      })),
      ...materials.debian.map(debianComponent),
      ...materials.npm.map(npmComponent),
    ],
  };
}

function debianComponent({ name, version, architecture }: DebianPackage): object {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
  return { type: 'library', 'bom-ref': purl, name, version, purl };
}

function npmComponent({ path, name, version, integrity, license }: NpmPackage): object {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm = '', digest = ''] = integrity.split('-');
  const content = Buffer.from(digest, 'base64').toString('hex');
  return {
    type: 'library',
    'bom-ref': path, // the same package may be there twice
    name,
    version,
    purl,
    licenses: [{ expression: license }],
    hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content }],
    properties: [{ name: 'drimbox:path', value: path }],
  };
}
