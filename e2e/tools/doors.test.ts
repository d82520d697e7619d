/** The doors of the architecture: who may import whom, and no circles (architecture §2). */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '../..');
const rooms = ['common', 'gateway', 'operator', 'images', 'charts', 'e2e'];

const forbidden: readonly {
  readonly from: RegExp;
  readonly to: RegExp;
  readonly why: string;
  readonly except?: RegExp;
}[] = [
  { from: /^operator\//, to: /^gateway\//, why: 'the operator never imports the gateway' },
  { from: /^gateway\//, to: /^operator\//, why: 'the gateway never imports the operator' },
  { from: /^common\//, to: /^(operator|gateway)\//, why: 'common imports neither' },
  {
    from: /^(operator|gateway)\//,
    to: /^e2e\//,
    why: 'the product never imports its tests',
    except: /\.(test|testing)\.ts$/,
  },
  { from: /^e2e\//, to: /^(operator|gateway)\//, why: 'e2e drives everything from outside' },
  { from: /^e2e\//, to: /^common\/(?!contract\/)/, why: 'e2e imports only common/contract' },
  {
    from: /^gateway\/source\//,
    to: /^gateway\/(consumer|viewer)\//,
    why: 'source and consumer never import each other',
  },
  {
    from: /^gateway\/consumer\//,
    to: /^gateway\/(source|viewer)\//,
    why: 'source and consumer never import each other',
  },
  { from: /^gateway\/viewer\//, to: /^gateway\/(source|consumer)\//, why: 'the viewer knows neither side' },
  {
    from: /^gateway\/(manifest|wado|dicom|dmp|identity)\//,
    to: /^gateway\/(source|consumer|viewer|admin)\//,
    why: 'what both sides stand on knows nothing of reports, sagas or sessions',
  },
];

function sources(): string[] {
  return rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name)),
  );
}

/** Relative imports of a file, as paths from the root; `typeOnly` ones do not exist at run time. */
function imports(file: string): { readonly target: string; readonly typeOnly: boolean }[] {
  const text = readFileSync(join(root, file), 'utf8');
  const pattern =
    /^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"](\.[^'"]+)['"]|^import\s+['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    target: relative(root, join(root, dirname(file), match[2] ?? match[3] ?? match[4] ?? '')),
    typeOnly: match[1] !== undefined,
  }));
}

const graph = new Map(sources().map((file) => [file, imports(file)]));

test('no room imports through a closed door', () => {
  const broken = [...graph].flatMap(([from, targets]) =>
    targets.flatMap(({ target }) =>
      forbidden
        .filter((rule) => rule.from.test(from) && rule.to.test(target) && !rule.except?.test(from))
        .map((rule) => `${from} -> ${target}: ${rule.why}`),
    ),
  );
  assert.equal(broken, []);
});

test('every relative import names a file that exists', () => {
  const missing = [...graph].flatMap(([from, targets]) =>
    targets
      .filter(({ target }) => target.endsWith('.ts') && !graph.has(target))
      .map(({ target }) => `${from} -> ${target}`),
  );
  assert.equal(missing, []);
});

test('imports go in no circle', () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const { target, typeOnly } of graph.get(file) ?? []) if (!typeOnly) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  assert.equal(circles, []);
});

test('the test would see a forbidden import', () => {
  const rule = forbidden[0];
  assert.ok(rule?.from.test('operator/plan/x.ts') && rule.to.test('gateway/domain.ts'));
});

test.run();
