/** Text values of a data set in its character set: ISO_IR 100 or ISO_IR 192, or none (ci-sis §4.2). */
import { KosUnreadable, type ReadDataSet } from './data-set-reader.ts';

const CHARSETS: Readonly<Record<string, 'latin1' | 'utf8'>> = {
  '': 'latin1', // the default repertoire is ASCII; a Latin-1 byte in it is read rather than lost
  'ISO_IR 6': 'latin1',
  'ISO_IR 100': 'latin1',
  'ISO 2022 IR 100': 'latin1',
  '\\ISO 2022 IR 100': 'latin1',
  'ISO_IR 192': 'utf8',
};

export class DataSetText {
  readonly #dataSet: ReadDataSet;
  readonly #charset: string;
  readonly #encoding: 'latin1' | 'utf8';

  /** @throws KosUnreadable when the character set is another one. */
  constructor({ dataSet, charset }: { readonly dataSet: ReadDataSet; readonly charset: string }) {
    const encoding = CHARSETS[charset];
    if (encoding === undefined) throw new KosUnreadable(`(0008,0005): character set ${charset} is not read here`);
    this.#dataSet = dataSet;
    this.#charset = charset;
    this.#encoding = encoding;
  }

  /** Without padding; empty when absent. */
  text(tag: number): string {
    const bytes = this.#dataSet.get(tag)?.bytes;
    return bytes === undefined
      ? ''
      : bytes
          .toString(this.#encoding)
          .replace(/[\0\s]+$/, '')
          .trimStart();
  }

  number(tag: number): number | undefined {
    const text = this.text(tag);
    return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
  }

  items(tag: number): readonly DataSetText[] {
    const items = this.#dataSet.get(tag)?.items ?? [];
    return items.map((dataSet) => new DataSetText({ dataSet, charset: this.#charset }));
  }

  first(tag: number): DataSetText | undefined {
    return this.items(tag)[0];
  }
}
