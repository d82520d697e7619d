/** xmlsec1 (C, libxml2): is this XML signature valid, up to a trusted root. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface XmlsecVerdict {
  readonly valid: boolean;
  readonly output: string;
}

/** Attributes that are ids, as xmlsec1 needs them told. */
const ids = [
  ['--id-attr:ID', 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion'],
  ['--id-attr:Id', 'http://www.w3.org/2000/09/xmldsig#:Manifest'],
  ['--id-attr:Id', 'http://uri.etsi.org/01903/v1.1.1#:SignedProperties'],
].flat();

/**
 * Looks at the signature alone: the documents of a detached manifest are not fetched.
 * @param trusted PEM files of roots. @param untrusted PEM files of intermediates.
 */
export async function verifyByXmlsec1(
  xml: Uint8Array,
  trusted: readonly string[],
  untrusted: readonly string[],
): Promise<XmlsecVerdict> {
  const directory = await mkdtemp(join(tmpdir(), 'xmlsec-'));
  const file = join(directory, 'signed.xml');
  try {
    await writeFile(file, xml);
    const anchors = [
      ...trusted.flatMap((pem) => ['--trusted-pem', pem]),
      ...untrusted.flatMap((pem) => ['--untrusted-pem', pem]),
    ];
    const { stdout, stderr } = await run('xmlsec1', ['--verify', '--ignore-manifests', ...ids, ...anchors, file]);
    return { valid: true, output: stdout + stderr };
  } catch (error) {
    if (!(error instanceof Error && 'stderr' in error && 'code' in error && error.code === 1)) throw error;
    return { valid: false, output: String(error.stderr) };
  } finally {
    await rm(directory, { recursive: true });
  }
}
