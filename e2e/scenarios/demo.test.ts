/** The demo as a user and an integrator run it; what it leaves is judged by programs we did not write. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DemoResult } from '../demo/scenario.ts';
import { judgeDicom } from '../judges/dicom.ts';
import { judgeXades } from '../judges/dss.ts';
import { judgeXds } from '../judges/ipf.ts';
import { verifyByXmlsec1 } from '../judges/xmlsec1.ts';
import { findEnvoy } from '../parts/envoy.ts';
import { readMime } from '../parts/mime.ts';
import { until } from './site.ts';

const root = join(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'drimbox-demo-'));
test.after(() => rmSync(work, { recursive: true, force: true }));

interface Summary {
  readonly ok: boolean;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
  readonly report: { readonly ack: string };
  readonly kos: { readonly sopInstanceUid: string; readonly instances: number; readonly file: string };
  readonly dmp: { readonly uniqueId: string; readonly entryUuid: string };
  readonly retrieve: DemoResult['retrieve'];
  readonly health: { readonly drimbox: string; readonly pacs: string };
}

interface Demo {
  readonly out: string;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  interrupt(): void;
}

function startDemo(name: string, ...args: readonly string[]): Demo {
  const out = join(work, name);
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(root, 'e2e/demo/main.ts'),
      '--json',
      '--images',
      '30',
      '--out',
      out,
      ...args,
    ],
    {
      cwd: work,
      env: { ...process.env, DRIMBOX_ENVOY: findEnvoy() },
    },
  );
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return {
    out,
    ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output }))),
    interrupt: () => void child.kill('SIGINT'),
  };
}

test('two demos at once do not collide; each prints one JSON object and leaves nothing behind', async () => {
  const demos = [startDemo('first', '--once'), startDemo('second', '--once')];
  for (const demo of demos) {
    const { code, stdout, stderr } = await demo.ended;
    assert.is(code, 0, stderr);
    const summary = JSON.parse(stdout) as Summary;
    assert.ok(summary.ok, stdout);
    assert.is(summary.report.ack, 'AA');
    assert.ok(summary.steps.length >= 10);
    assert.is(summary.kos.instances, 30);
    assert.is(summary.dmp.uniqueId, summary.kos.sopInstanceUid);
    assert.match(summary.dmp.entryUuid, /^urn:uuid:/);
    assert.equal([summary.retrieve.status, summary.retrieve.instances, summary.retrieve.identical], [200, 30, true]);
    assert.equal(summary.health, { drimbox: 'UP', pacs: 'UP' });
    for (const file of [
      'report.hl7',
      'cda.xml',
      'kos.dcm',
      'submission.mime',
      'metrics.txt',
      'summary.json',
      'curl.sh',
    ])
      assert.ok(existsSync(join(demo.out, file)), file);
    assert.is(readdirSync(join(demo.out, 'series')).length, 30);
  }
  assert.equal(existsSync(join(work, '.drimbox')) ? readdirSync(join(work, '.drimbox')) : [], []);
});

const first = join(work, 'first');

test('dciodvfy finds no error in the KOS of the demo', async () => {
  const { errors, complaints } = await judgeDicom(readFileSync(join(first, 'kos.dcm')));
  assert.equal([errors, complaints], [[], []]);
});

test('IPF finds nothing in the submission as it was sent', async () => {
  const [envelope, ...documents] = readMime(readFileSync(join(first, 'submission.mime')));
  assert.ok(envelope);
  const whole = documents.reduce(
    (xml, { contentId, bytes }) =>
      xml.replace(new RegExp(`<xop:Include[^>]*href="cid:${contentId}"[^>]*/>`), bytes.toString('base64')),
    envelope.bytes.toString('utf8'),
  );
  assert.not.match(whole, 'xop:Include');
  const [verdict] = await judgeXds([Buffer.from(whole)]);
  assert.equal([verdict?.schema, verdict?.ipf, verdict?.error], ['valid', 'valid', undefined]);
});

test('both signatures of the submission are valid, and invalid after one changed byte', async () => {
  const [envelope, ...documents] = readMime(readFileSync(join(first, 'submission.mime')));
  const kos = documents.find(({ bytes }) => bytes.toString('latin1', 128, 132) === 'DICM');
  const signature = documents.find(({ bytes }) => bytes.includes('Signature'));
  assert.ok(envelope && kos && signature);
  const pki = join(first, 'certificates');
  const anchors = splitPem(join(pki, 'ca.pem'));
  const uniqueId = (JSON.parse(readFileSync(join(first, 'summary.json'), 'utf8')) as Summary).dmp.uniqueId;
  const judge = async (bytes: Buffer): Promise<string> => {
    const { signatures } = await judgeXades(
      { signature: signature.bytes, detached: new Map([[`urn:oid:${uniqueId}`, bytes]]) },
      anchors,
    );
    return signatures?.[0]?.indication ?? 'none';
  };
  assert.is(await judge(kos.bytes), 'TOTAL_PASSED');
  assert.is.not(await judge(flipped(kos.bytes)), 'TOTAL_PASSED');

  const assertion = /<saml2?:Assertion[\s\S]*?<\/saml2?:Assertion>|<Assertion[\s\S]*?<\/Assertion>/.exec(
    envelope.bytes.toString('utf8'),
  )?.[0];
  assert.ok(assertion, 'the VIHF stands in the envelope');
  const [trusted = '', ...untrusted] = anchors;
  assert.ok((await verifyByXmlsec1(Buffer.from(assertion), [trusted], untrusted)).valid);
  const changed = assertion.replace('urn:dmp', 'urn:dmq');
  assert.is.not(changed, assertion);
  assert.not.ok((await verifyByXmlsec1(Buffer.from(changed), [trusted], untrusted)).valid);
});

test('curl.sh fetches the series while the demo is up; Ctrl-C ends it', async () => {
  const demo = startDemo('up');
  await until('the summary', () => existsSync(join(demo.out, 'curl.sh')), 90_000);
  const said = execFileSync('sh', [join(demo.out, 'curl.sh')], { encoding: 'utf8' });
  assert.match(said, 'HTTP 200');
  const body = readFileSync(join(demo.out, 'series.multipart')).toString('latin1');
  assert.is(body.split('Content-Type: application/dicom; transfer-syntax=').length - 1, 30);
  demo.interrupt();
  const { code, stderr } = await demo.ended;
  assert.is(code, 0, stderr);
});

test('wrong usage is told and ends with 2', async () => {
  const { code, stderr } = await startDemo('wrong', '--images', 'many').ended;
  assert.is(code, 2);
  assert.match(stderr, '--images');
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
  return copy;
}

/** One file for each certificate of a bundle, the root first. */
function splitPem(bundle: string): readonly string[] {
  const blocks =
    readFileSync(bundle, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  return blocks.map((block, index) => {
    const file = join(work, `anchor-${index}.pem`);
    execFileSync('tee', [file], { input: block, stdio: ['pipe', 'ignore', 'inherit'] });
    return file;
  });
}

test.run();
