import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { unpack } from '../../../common/contract/packed-file.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import { configMapNames, toConfigMaps } from './config-maps.ts';

/** What the API server takes of one object, names and encoding included. */
const mostBytes = 1_048_576;

function keysOf(maps: readonly ApplyObject[]): Readonly<Record<string, Buffer>> {
  return Object.assign(
    {},
    ...maps.map(({ data, binaryData }) => ({
      ...decoded(data as Readonly<Record<string, string>>, 'utf8'),
      ...decoded(binaryData as Readonly<Record<string, string>>, 'base64'),
    })),
  ) as Readonly<Record<string, Buffer>>;
}

function decoded(data: Readonly<Record<string, string>>, encoding: 'utf8' | 'base64'): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, encoding)]));
}

test('a CRL of 3 MB that cannot be compressed is spread over ConfigMaps, each of which the API server takes, and is whole', () => {
  const crl = randomBytes(3_000_000);
  const maps = toConfigMaps('site', { namespace: 'ght' }, [
    { name: 'config.json', bytes: Buffer.from('{}') },
    { name: 'crls.pem', bytes: crl },
  ]);
  assert.ok(maps.length >= 4);
  assert.equal(
    maps.map(({ metadata }) => metadata.name),
    configMapNames('site').slice(0, maps.length),
    'under names that the pod mounts',
  );
  for (const map of maps) assert.ok(Buffer.byteLength(JSON.stringify(map)) < mostBytes);
  const keys = keysOf(maps);
  const parts = Object.keys(keys)
    .filter((key) => key.startsWith('crls.pem.gz.'))
    .toSorted((a, b) => Number(a.slice(12)) - Number(b.slice(12)))
    .flatMap((key) => keys[key] ?? []);
  assert.ok(unpack(parts).equals(crl));
  assert.is(
    maps[0]?.['data'] !== undefined && 'config.json' in (maps[0]['data'] as object),
    true,
    'config in the first',
  );
});

test('small documents stand readable in one, bytes that are no text as they are', () => {
  const latin = Buffer.from([0x3c, 0xe9, 0x3e]);
  const control = Buffer.from('a\u0000b');
  const maps = toConfigMaps('site', { namespace: 'ght' }, [
    { name: 'text', bytes: Buffer.from('Évry\tx\r\n') },
    { name: 'latin', bytes: latin },
    { name: 'control', bytes: control },
  ]);
  assert.is(maps.length, 1);
  assert.equal(maps[0]?.['data'], { text: 'Évry\tx\r\n' });
  const keys = keysOf(maps);
  assert.ok(keys['latin']?.equals(latin));
  assert.ok(keys['control']?.equals(control));
});

test('what no volume could show is refused by name', () => {
  assert.throws(
    () => toConfigMaps('site', { namespace: 'ght' }, [{ name: 'crls.pem', bytes: randomBytes(6_000_000) }]),
    /crls\.pem/,
  );
  const many = Array.from({ length: 9 }, (_, index) => ({ name: `crl-${index}`, bytes: randomBytes(650_000) }));
  assert.throws(() => toConfigMaps('site', { namespace: 'ght' }, many), /site: more than 8 ConfigMaps/);
});

test.run();
