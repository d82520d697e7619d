/**
 * Our verdicts beside those of the European Commission's DSS. We refuse all hostile lists; where DSS passes one, the variant says
 * why, and a variant that explains a difference that is none fails too.
 */
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeEnveloped, type XadesVerdict } from '../../e2e/judges/dss.ts';
import { acceptedLists } from '../../e2e/parts/whitelist-variants/accepted.ts';
import type { Trust, Variant } from '../../e2e/parts/whitelist-variants/variant.ts';
import { openLaboratory } from '../../e2e/parts/whitelist-variants/variants.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-judges-'));
test.after(() => rmSync(directory, { recursive: true }));
const laboratory = await openLaboratory(directory);

/** DSS reads one certificate or CRL a file, and stops at the first it can't read. */
async function judge(files: readonly Buffer[], trust: Trust): Promise<readonly XadesVerdict[]> {
  const anchors = trust.anchors.filter(isCertificate);
  const crls = trust.crls.flatMap(eachPem).filter((crl) => crl.length > 10);
  return await judgeEnveloped({ ...trust, files, anchors, crls });
}

function isCertificate(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).raw.length > 0;
  } catch {
    return false; // the variant is about an anchor that can't be read: DSS gets none
  }
}

function eachPem(bytes: Buffer): readonly Buffer[] {
  const blocks = bytes.toString('latin1').match(/-----BEGIN[^]*?-----END [^-]*-----/g);
  return blocks === null ? [bytes] : blocks.map((block) => Buffer.from(block));
}

function passes({ signatures, error }: XadesVerdict): boolean {
  return error === undefined && signatures?.length === 1 && signatures[0]?.indication === 'TOTAL_PASSED';
}

function inWords({ signatures, error }: XadesVerdict): string {
  const said = (signatures ?? []).map((one) => `${one.indication} ${one.subIndication ?? ''} ${one.errors.join('; ')}`);
  return error ?? (said.join(' | ') || 'no signature');
}

function compare(variants: readonly Variant[], verdicts: readonly XadesVerdict[]): string[] {
  return variants.flatMap((variant, index) => {
    const verdict = verdicts[index];
    if (verdict === undefined) return [`${variant.name}: not judged`];
    if (passes(verdict) === (variant.dssPasses !== undefined)) return [];
    return [
      `${variant.name}: ours ${variant.reason}, DSS ${inWords(verdict)}, explained: ${variant.dssPasses ?? 'no'}`,
    ];
  });
}

for (const { name, trust, variants } of laboratory.families)
  test(`${name}: every difference from DSS is explained`, async () => {
    const asked = variants.filter(({ dssDies }) => dssDies === undefined);
    const usual = asked.filter((variant) => variant.trust === undefined);
    const differences = compare(
      usual,
      await judge(
        usual.map(({ bytes }) => bytes),
        trust,
      ),
    );
    for (const variant of asked.filter((one) => one.trust !== undefined))
      differences.push(...compare([variant], await judge([variant.bytes], { ...trust, ...variant.trust })));
    assert.is(differences.join('\n'), '');
  });

test('DSS passes what we accept', async () => {
  const lists = acceptedLists(laboratory.list, laboratory.signer, laboratory.good.toString());
  const verdicts = await judge(
    lists.map(({ bytes }) => bytes),
    laboratory.trust,
  );
  assert.equal(
    verdicts.flatMap((verdict, index) => (passes(verdict) ? [] : [`${lists[index]?.name ?? ''}: ${inWords(verdict)}`])),
    [],
  );
});

test('xmlsec1 passes what we accept', () => {
  const { pki } = laboratory;
  const refused: string[] = [];
  for (const { name, bytes } of acceptedLists(laboratory.list, laboratory.signer, laboratory.good.toString())) {
    const file = join(directory, 'list.xml');
    writeFileSync(file, bytes);
    const trusted = ['--trusted-pem', pki.root.certificateFile, '--untrusted-pem', pki.organisations.certificateFile];
    const run = spawnSync('xmlsec1', ['--verify', '--id-attr:Id', 'SignedProperties', ...trusted, file], {
      encoding: 'utf8',
    });
    if (run.status !== 0) refused.push(`${name}: ${run.stderr}`);
  }
  assert.equal(refused, []);
});

test.run();
