import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { patients } from '../../../e2e/parts/patients.ts';
import { aReport, examChangeMessage, reportMessage } from '../../../e2e/parts/reports.ts';
import { renderInspection } from './inspect-text.ts';
import { inspectReport } from './inspect.ts';
import { frame } from './mllp-frames.ts';

const limits = { maxDocumentBytes: 1_000_000 };
const directory = mkdtempSync(join(tmpdir(), 'inspect-'));
test.after(() => rmSync(directory, { recursive: true }));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const cli = join(import.meta.dirname, 'inspect-cli.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

function file(name: string, bytes: Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

test('a message is inspected the same with and without its framing', () => {
  const bytes = reportMessage(aReport());
  const plain = inspectReport(bytes, limits);
  assert.equal(inspectReport(frame(bytes), limits), plain);
  assert.equal(inspectReport(frame(bytes).subarray(0, -2), limits), plain);
  assert.equal([plain.kind, plain.acknowledgement, plain.faults], ['understood', 'AA', []]);
});

test('the text names message, patient, document, studies with accession numbers, decision and why', () => {
  const replacing = aReport({ action: 'replacement', patient: patients.corsicanSouth, cda: { replaces: '2.25.4999' } });
  const text = renderInspection(inspectReport(reportMessage(replacing), limits));
  for (const expected of [
    'ORU^R01 2.5, id M1',
    'RIS_TEST / SITE_TEST',
    `${patients.corsicanSouth.matricule} (1.2.250.1.213.1.4.10), qualified`,
    'ESSAI-COLONNA ANGE',
    'document    2.25.5001',
    'replaces    2.25.4999',
    'study       2.25.1001: accession ACN1001',
    'decision    replace the KOS',
    'because     OBX-11 is C',
  ])
    assert.ok(text.includes(expected), `${expected} in\n${text}`);
});

test('what keeps a report from the DMP is the reason given', () => {
  const why = (variant: 'notForDmp' | 'noDestination' | 'notQualified'): string =>
    inspectReport(reportMessage(aReport({ variant })), limits).decision.why;
  assert.equal(
    [why('notForDmp'), why('noDestination'), why('notQualified')],
    ['DESTDMP is N', 'DESTDMP is missing', 'the INS is not qualified (PID-32 is not VALI)'],
  );
  const change = inspectReport(examChangeMessage('2.25.1001', 'O1'), limits);
  assert.equal(change.changedStudies, ['2.25.1001']);
});

test('text of the sender can not move the cursor', () => {
  const text = renderInspection(
    inspectReport(reportMessage(aReport({ sendingApplication: 'a\u001b[2Jb\u0007' })), limits),
  );
  assert.not.match(text.replaceAll('\n', ''), /\p{Cc}/u);
});

test('the command: 0 understood, 1 faults, 2 usage or unreadable', () => {
  const good = run(file('good.hl7', reportMessage(aReport())), '--json');
  assert.is(good.status, 0, good.stderr);
  assert.is(JSON.parse(good.stdout).report.studies[0].studyInstanceUid, '2.25.1001');
  const faulty = run(file('faulty.hl7', reportMessage(aReport({ without: ['region'] }))));
  assert.is(faulty.status, 1);
  assert.match(faulty.stdout, /fault +E005 \/ClinicalDocument.*39111-0.*DB0 Table 1/);
  assert.equal([run().status, run('--no').status, run(join(directory, 'absent.hl7')).status], [2, 2, 2]);
  assert.match(run(join(directory, 'absent.hl7')).stderr, 'can not read');
  const help = run('--help');
  assert.equal([help.status, help.stderr], [0, '']);
});

test.run();
