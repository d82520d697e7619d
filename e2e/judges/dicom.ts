/** dciodvfy (dicom3tools), dsrdump and dcmdump (DCMTK): judges of DICOM files that we did not write. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface DicomVerdict {
  /** Lines of dciodvfy that start with Error. */
  readonly errors: readonly string[];
  /** Lines of dciodvfy that start with Warning. */
  readonly warnings: readonly string[];
  /** What dsrdump and dcmdump complained about, but for dsrdump's word that it does not check templates. */
  readonly complaints: readonly string[];
  /** dsrdump's reading of the document. */
  readonly report: string;
}

/** @param file a Part 10 file that holds a structured report or a KOS. */
export async function judgeDicom(file: Buffer): Promise<DicomVerdict> {
  return await withFile(file, 'document.dcm', async (path) => {
    const standard = await run('dciodvfy', ['-new', path]);
    const lines = standard.stderr.split('\n').concat(standard.stdout.split('\n'));
    const dsr = await run('dsrdump', [path]);
    const dump = await run('dcmdump', ['-q', path]);
    const failed = [dsr, dump].flatMap(({ code, name }) => (code === 0 ? [] : [`${name}: exit ${code}`]));
    return {
      errors: lines.filter((line) => line.startsWith('Error')),
      warnings: lines.filter((line) => line.startsWith('Warning')),
      complaints: [...failed, ...complaints(dsr.stderr), ...complaints(dump.stderr)],
      report: dsr.stdout,
    };
  });
}

/** DCMTK's XML form of a data set → Part 10 file. @throws Error with what xml2dcm said. */
export async function xmlToDicom(xml: Buffer, transferSyntax: 'implicit' | 'explicit'): Promise<Buffer> {
  return await withFile(xml, 'document.xml', async (path) => {
    const { code, stderr, stdout } = await run('xml2dcm', [transferSyntax === 'implicit' ? '+ti' : '+te', path, '-']);
    if (code !== 0) throw new Error(`xml2dcm: ${stderr}`);
    return Buffer.from(stdout, 'latin1');
  });
}

/** The reverse of `xmlToDicom`: a Part 10 file as DCMTK's XML, in ISO-8859-1. */
export async function dicomToXml(file: Buffer): Promise<string> {
  return await withFile(file, 'document.dcm', async (path) => {
    const { code, stderr, stdout } = await run('dcm2xml', [path, '-']);
    if (code !== 0) throw new Error(`dcm2xml: ${stderr}`);
    return stdout;
  });
}

function complaints(stderr: string): readonly string[] {
  return stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('Check for template constraints not yet supported'));
}

/** Programs that print bytes or ISO-8859-1. */
const LATIN1 = new Set(['xml2dcm', 'dcm2xml', 'dsrdump']);

interface Run {
  readonly name: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** dciodvfy's exit code is not its verdict, so it is only reported. */
async function run(name: string, args: readonly string[]): Promise<Run> {
  return await new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const stdout = Buffer.concat(out).toString(LATIN1.has(name) ? 'latin1' : 'utf8');
      resolve({ name, code: code ?? -1, stdout, stderr: Buffer.concat(err).toString() });
    });
  });
}

async function withFile<T>(bytes: Buffer, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'dicom-'));
  try {
    const path = join(directory, name);
    await writeFile(path, bytes);
    return await use(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}
