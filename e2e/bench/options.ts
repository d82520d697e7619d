/** What can be asked of `drimbox bench retrieve`. */
import { parseArgs } from 'node:util';

export const retrieveUsage = `usage: drimbox bench retrieve [--json] [--images N] [--runs N] [--no-shaped] [--no-nagle] [--into FILE]

A CT series (1300 images, 200 MB) through real parts: PACS, gateway, Envoy with mutual TLS, a remote client. Against references of
the same minute: a bare C-MOVE into storescp, and the same bytes from memory through a copy of the same Envoy. Every image that
arrives is compared by SHA-256. First on loopback, then on links of 1 Gbit/s between network namespaces (needs root).

  --json        one JSON object on standard output
  --images N    1 to 2000 (default 1300)
  --runs N      measurements of each, after one to warm up (default 3)
  --no-shaped   loopback only
  --no-nagle    without the PACS that has Nagle's algorithm on
  --into FILE   also put the figures into FILE (docs/measurements.md), between its two marker lines

Exit codes: 0 measured and every image equal, 1 not, 2 wrong usage.
`;

export interface RetrieveOptions {
  readonly json: boolean;
  readonly images: number;
  readonly runs: number;
  readonly shaped: boolean;
  readonly nagle: boolean;
  /** Markdown file that gets the figures. */
  readonly into: string | undefined;
  /** Set by the program itself: it runs inside the namespace of the gateway. JSON of `Places`. */
  readonly places: string | undefined;
}

/** @returns 'help', or what is wrong as an Error */
export function readRetrieveOptions(args: readonly string[]): RetrieveOptions | 'help' | Error {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      json: { type: 'boolean', default: false },
      images: { type: 'string', default: '1300' },
      runs: { type: 'string', default: '3' },
      shaped: { type: 'boolean', default: true },
      nagle: { type: 'boolean', default: true },
      places: { type: 'string' },
      into: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [images, runs] = [Number(values.images), Number(values.runs)];
  if (!Number.isInteger(images) || images < 1 || images > 2000)
    return new Error(`--images ${values.images}: a whole number from 1 to 2000`);
  if (!Number.isInteger(runs) || runs < 1 || runs > 50)
    return new Error(`--runs ${values.runs}: a whole number from 1 to 50`);
  return {
    json: values.json,
    images,
    runs,
    shaped: values.shaped,
    nagle: values.nagle,
    places: values.places,
    into: values.into,
  };
}
