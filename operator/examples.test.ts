/** The examples are accepted as they stand: schema, rules, and references among them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDefinitions } from './api/schema.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from './api/types.generated.ts';
import { atOnce } from './turns.ts';
import { acceptSteps } from './plan/acceptance.ts';
import { accept } from './resources/directory/accept.ts';
import { readDirectory } from './resources/directory/read.ts';

const root = join(import.meta.dirname, '..');

for (const name of readdirSync(join(root, 'examples')))
  test(`examples/${name} is accepted as it stands`, () => {
    const onCluster = name === 'cluster';
    // For kubectl, which takes the resources that it names.
    const files = new Map(readDirectory(join(root, 'examples', name)).files);
    files.delete('kustomization.yaml');
    const now = '2026-01-01T00:00:00Z';
    const { accepted, faults } = accept({
      definitions: readDefinitions(join(root, 'crds')),
      files,
      before: [],
      now,
      newUid: () => 'uid',
    });
    assert.equal(faults, []);
    const resources = accepted.map(({ resource }) => resource);
    const across = atOnce(
      acceptSteps(
        {
          trustSpaces: resources.filter((r): r is TrustSpace => r.kind === 'TrustSpace'),
          sites: resources.filter((r): r is DrimboxSite => r.kind === 'DrimboxSite'),
          links: resources.filter((r): r is PacsLink => r.kind === 'PacsLink'),
          secrets: new Map(),
          configMaps: new Map(),
        },
        !onCluster,
      ),
    );
    assert.equal([...across.refusedLinks, ...across.refusedSites], []);
    assert.equal([...across.unknownPacs.values()].flat(), []);
    assert.ok(across.linksOf.size > 0);
  });

test.run();
