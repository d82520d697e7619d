/** The databases that sites name, from the Secrets and ConfigMaps that were read. */
import type { DatabaseObservation } from '../plan/observations.ts';
import { type Remembered, noMemory } from '../plan/remembered.ts';
import { type Inventory, keyOf } from '../resources/inventory.ts';
import { readDatabase } from '../trust/database.ts';

/** By site; the same object as long as what it was read from is the same. */
export function observeDatabases(
  inventory: Inventory,
  memory: Remembered = noMemory,
): ReadonlyMap<string, DatabaseObservation> {
  const found = new Map<string, DatabaseObservation>();
  for (const site of inventory.sites) {
    const { postgres } = site.spec.storage;
    if (postgres === undefined) continue;
    const { namespace } = site.metadata;
    const { credentials, trust } = postgres;
    const inputs = [
      JSON.stringify([credentials, trust]),
      inventory.secrets.get(`${namespace}/${credentials.secretName}`),
      trust.secret && inventory.secrets.get(`${namespace}/${trust.secret.name}`),
      trust.configMap && inventory.configMaps.get(`${namespace}/${trust.configMap.name}`),
    ];
    const key = keyOf(site);
    found.set(
      key,
      memory.of(`database ${key}`, inputs, () => readDatabase(namespace, postgres, inventory)),
    );
  }
  return found;
}
