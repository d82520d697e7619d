/** Columns as SQLite gives them: numbers, text and bytes. Text stays text: our times are RFC 3339 in text columns. */
import { types } from 'pg';

const { builtins } = types;

/** @throws RangeError for an integer a number can't hold: no id or count of an archive comes near */
function integer(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} of the database does not fit a number`);
  return value;
}

function bytes(text: string): Uint8Array {
  if (!text.startsWith(String.raw`\x`)) throw new RangeError('bytea_output of the session is not hex');
  const buffer = Buffer.from(text.slice(2), 'hex');
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

const parsers: Readonly<Record<number, (text: string) => number | Uint8Array>> = {
  [builtins.INT2]: integer,
  [builtins.INT4]: integer,
  [builtins.INT8]: integer,
  [builtins.FLOAT4]: Number,
  [builtins.FLOAT8]: Number,
  [builtins.BYTEA]: bytes,
};

export const columnTypes = {
  getTypeParser: (oid: number): ((text: string) => number | string | Uint8Array) =>
    parsers[oid] ?? ((text: string) => text),
};
