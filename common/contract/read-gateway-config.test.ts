import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exampleConfig } from './example-config.ts';
import { type GatewayConfig, GatewayConfigSchema } from './gateway-config.ts';
import { readGatewayConfig } from './read-gateway-config.ts';

const [pacs] = exampleConfig.pacs;
const [ris] = exampleConfig.ris;
if (!pacs || !ris) throw new Error('the example has a PACS and a RIS');

function pathsOf(config: unknown): readonly string[] {
  const reading = readGatewayConfig(JSON.stringify(config));
  return reading.ok ? [] : reading.faults.map(({ path }) => path);
}

const postgres = {
  host: 'db.example',
  port: 5432,
  database: 'nord',
  user: 'nord',
  passwordFile: '/run/drimbox/password',
  trustFile: '/run/drimbox/db-ca.crt',
};

const change = (part: Partial<GatewayConfig>): GatewayConfig => ({ ...exampleConfig, ...part });

test('the schema is a JSON Schema', () => assert.ok(new Ajv({ strict: false }).validateSchema(GatewayConfigSchema)));

test('the example is accepted as it is', () => assert.equal(pathsOf(exampleConfig), []));

test('three gateways on a database, each with a title, are accepted', () =>
  assert.equal(pathsOf(change({ replicas: 3, storage: { directory: '/data', postgres } })), []));

test('what is not JSON is refused, not thrown', () => assert.equal(readGatewayConfig('{').ok, false));

const refusals: readonly (readonly [string, unknown, string])[] = [
  ['a port out of range', change({ pacs: [{ ...pacs, port: 70_000 }] }), '/pacs/0/port'],
  ['several gateways on a SQLite file', change({ replicas: 2 }), '/replicas'],
  [
    'fewer AE titles than gateways',
    change({ replicas: 4, storage: { directory: '/data', postgres } }),
    '/pacs/0/aeTitlePool',
  ],
  ['an unknown field', { ...exampleConfig, surprise: 1 }, ''],
  ['an AE title with a backslash', change({ pacs: [{ ...pacs, aeTitle: 'A\\B' }] }), '/pacs/0/aeTitle'],
  ['a RIS whose PACS does not exist', change({ ris: [{ ...ris, pacs: ['other'] }] }), '/ris/0/pacs/0'],
  [
    'two RIS that cannot be told apart',
    change({ ris: [ris, { ...ris, name: 'second' }] }),
    '/ris/1/sendingApplication',
  ],
  [
    'two PACS behind one FQDN',
    change({
      pacs: [
        pacs,
        { ...pacs, name: 'pacs2', wadoFqdn: pacs.wadoFqdn.toUpperCase(), aeTitlePool: ['X1'], maxConcurrentMoves: 1 },
      ],
    }),
    '/pacs/1/wadoFqdn',
  ],
  [
    'an AE title in two pools',
    change({ pacs: [pacs, { ...pacs, name: 'pacs2', wadoFqdn: 'db2.1.example' }] }),
    '/pacs',
  ],
  ['more moves than AE titles', change({ pacs: [{ ...pacs, maxConcurrentMoves: 4 }] }), '/pacs/0/maxConcurrentMoves'],
  [
    'no introspection in PROD',
    change({ environment: 'PROD', introspection: { mode: 'disabled' } }),
    '/introspection/mode',
  ],
  [
    'a time zone that does not exist',
    change({ site: { ...exampleConfig.site, timeZone: 'Europe/Lutece' } }),
    '/site/timeZone',
  ],
];
for (const [name, config, path] of refusals)
  test(`refused: ${name}`, () => assert.ok(pathsOf(config).includes(path), String(pathsOf(config))));

test.run();
