/** The European Commission's DSS (Java): is this XAdES valid, and why not. Offline: it knows only what it is given. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { judgeClasspath, runJudge } from './maven.ts';

export interface XadesVerdict {
  readonly file: string;
  readonly error?: string;
  readonly signatures?: readonly {
    /** TOTAL_PASSED, TOTAL_FAILED or INDETERMINATE. */
    readonly indication: string;
    readonly subIndication: string | null;
    readonly format: string;
    readonly signatureIntact: boolean;
    readonly structureErrors: readonly string[];
    readonly references: readonly {
      readonly type: string;
      readonly uri: string | null;
      readonly found: boolean;
      readonly intact: boolean;
    }[];
    readonly signer: string | null;
    readonly trusted: boolean;
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
  }[];
}

export interface XadesCase {
  readonly signature: Uint8Array;
  /** URI of the reference, e.g. `urn:oid:…`, to its bytes. Without them DSS only warns. */
  readonly detached: ReadonlyMap<string, Uint8Array>;
}

/** @param anchors one certificate per file, PEM or DER. */
export async function judgeXades(one: XadesCase, anchors: readonly string[]): Promise<XadesVerdict> {
  const classpath = await judgeClasspath('dss');
  const directory = await mkdtemp(join(tmpdir(), 'dss-'));
  try {
    await mkdir(join(directory, 'anchors'));
    for (const anchor of anchors) await copyFile(anchor, join(directory, 'anchors', basename(anchor)));
    const args = ['--anchors', join(directory, 'anchors')];
    for (const [index, [uri, bytes]] of [...one.detached].entries()) {
      const file = join(directory, `document-${index}`);
      await writeFile(file, bytes);
      args.push('--detached', `${uri}=${file}`);
    }
    const signature = join(directory, 'signature.xml');
    await writeFile(signature, one.signature);
    const line = (await runJudge(classpath, 'XadesJudge', [...args, signature])).trim().split('\n').at(-1) ?? '';
    return JSON.parse(line) as XadesVerdict;
  } finally {
    await rm(directory, { recursive: true });
  }
}

export interface EnvelopedCase {
  readonly files: readonly Uint8Array[];
  /** PEM or DER, one certificate each. */
  readonly anchors: readonly Uint8Array[];
  /** PEM or DER, one list each. */
  readonly crls: readonly Uint8Array[];
  readonly requireRevocation: boolean;
  readonly at: Date;
}

/** What DSS says of each file, in their order, all judged with the same trust. */
export async function judgeEnveloped(one: EnvelopedCase): Promise<readonly XadesVerdict[]> {
  const classpath = await judgeClasspath('dss');
  const directory = await mkdtemp(join(tmpdir(), 'dss-'));
  const write = async (folder: string, all: readonly Uint8Array[]): Promise<readonly string[]> => {
    await mkdir(join(directory, folder));
    const names = all.map((_bytes, index) => join(directory, folder, `${index}`.padStart(4, '0')));
    for (const [index, name] of names.entries()) await writeFile(name, all[index] ?? '');
    return names;
  };
  try {
    const args = ['--anchors', join(directory, 'anchors'), '--crls', join(directory, 'crls')];
    await write('anchors', one.anchors);
    await write('crls', one.crls);
    if (one.requireRevocation) args.push('--require-revocation');
    args.push('--at', one.at.toISOString(), ...(await write('files', one.files)));
    const lines = (await runJudge(classpath, 'XadesJudge', args)).split('\n').filter((line) => line.startsWith('{'));
    if (lines.length !== one.files.length)
      throw new Error(`DSS gave ${lines.length} verdicts on ${one.files.length} files: it died on the next`);
    return lines.map((line) => JSON.parse(line) as XadesVerdict);
  } finally {
    await rm(directory, { recursive: true });
  }
}
