/** `report inspect FILE [--json]`: exit 0 understood, 1 faults, 2 usage or unreadable file. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { renderInspection } from './inspect-text.ts';
import { inspectReport } from './inspect.ts';

const USAGE = `usage: drimbox report inspect FILE [--json]

Says what the DRIMbox would make of an HL7 message (ORU, MDM or OMI): acknowledgement, decision, what it read, faults.
FILE holds one message, with or without MLLP framing. Nothing is sent or stored.

exit code: 0 understood, 1 faults, 2 wrong usage or unreadable file
`;
const MAX_DOCUMENT_BYTES = 256 << 20;

function main(args: readonly string[]): number {
  const parsed = parse(args);
  if (typeof parsed === 'string') return fail(`${parsed}\n\n${USAGE}`);
  if (parsed.help) return print(USAGE, 0);
  const bytes = read(parsed.file);
  if (typeof bytes === 'string') return fail(`${bytes}\n`);
  const inspection = inspectReport(bytes, { maxDocumentBytes: MAX_DOCUMENT_BYTES });
  const text = parsed.json ? `${JSON.stringify(inspection, null, 2)}\n` : renderInspection(inspection);
  return print(text, inspection.faults.length === 0 ? 0 : 1);
}

interface Arguments {
  readonly file: string;
  readonly json: boolean;
  readonly help: boolean;
}

function parse(args: readonly string[]): Arguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    });
    const [file, ...more] = positionals;
    if (values.help) return { ...values, file: '' };
    return file === undefined || more.length > 0 ? 'exactly one FILE is needed' : { ...values, file };
  } catch (error) {
    return error instanceof Error ? error.message : String(error); // parseArgs names the wrong option
  }
}

function read(file: string): Buffer | string {
  try {
    return readFileSync(file);
  } catch (error) {
    return `can not read ${file}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function print(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

function fail(text: string): number {
  process.stderr.write(text);
  return 2;
}

process.exitCode = main(process.argv.slice(2));
