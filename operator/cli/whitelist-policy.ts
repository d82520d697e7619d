/** Whom `drimbox whitelist verify` believes: what the command line says, or a TrustSpace of a watched directory. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WhitelistPolicy } from '../../common/whitelist/whitelist.ts';
import { readDefinitions } from '../api/schema.ts';
import type { TrustSpace } from '../api/types.generated.ts';
import { trustPolicy } from '../controllers/observe-trust.ts';
import { stateFolder } from '../infrastructure/host/state-folder.ts';
import { accept } from '../resources/directory/accept.ts';
import { readDirectory } from '../resources/directory/read.ts';
import { readAccepted, toInventory } from '../resources/directory/source.ts';
import type { Inventory } from '../resources/inventory.ts';
import { folderStore } from '../trust/document-store.ts';
import { openFetcher } from '../trust/fetch.ts';

export interface PolicyWish {
  readonly anchors: readonly string[];
  readonly crls: readonly string[];
  readonly signerCn: string | undefined;
  readonly signerOu: string | undefined;
  readonly at: Date;
  /** Absolute. */
  readonly directory: string | undefined;
  /** Absolute; CRLs that the operator fetched are taken from there. */
  readonly state: string;
}

/** ANS, TEST (ci-sis §10.3); PROD's CN ends in ` PROD`. */
const testSigner = { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' };

/** Revocation is checked when CRLs are given. */
export function policyOfOptions(wish: PolicyWish): WhitelistPolicy {
  return {
    anchors: wish.anchors.map((file) => readFileSync(file)),
    crls: wish.crls.map((file) => readFileSync(file)),
    requireRevocation: wish.crls.length > 0,
    signer: signerOf(wish, testSigner),
    at: wish.at,
  };
}

/**
 * @param name undefined: the only one there is
 * @throws Error when the TrustSpace is not there, or what it refers to can't be had
 */
export async function policyOfTrustSpace(name: string | undefined, wish: PolicyWish): Promise<WhitelistPolicy> {
  const inventory = inventoryOf(wish);
  const trust = choose(name, inventory.trustSpaces);
  const fetcher = openFetcher(folderStore(stateFolder(wish.state).fetchedFolder), () => undefined, Math.random);
  await trustPolicy(trust, inventory, wish.at, fetcher); // begins the downloads of CRLs that are due
  await fetcher.settled();
  const { anchors, crls, policy } = await trustPolicy(trust, inventory, wish.at, fetcher);
  const label = trust.metadata.name;
  if (!anchors.ok) throw new Error(`anchors of ${label}: ${anchors.message}`);
  if (!crls.ok && policy.requireRevocation) throw new Error(`CRLs of ${label}: ${crls.message}`);
  const more = wish.crls.map((file) => readFileSync(file));
  return { ...policy, crls: [...policy.crls, ...more], signer: signerOf(wish, policy.signer) };
}

function choose(name: string | undefined, spaces: readonly TrustSpace[]): TrustSpace {
  const found = spaces.filter(({ metadata }) => name === undefined || metadata.name === name);
  const [trust] = found;
  if (trust !== undefined && found.length === 1) return trust;
  const names = spaces.map(({ metadata }) => metadata.name).join(', ') || 'none';
  throw new Error(
    name === undefined
      ? `which TrustSpace? give --trust-space (there: ${names})`
      : `no TrustSpace '${name}' (there: ${names})`,
  );
}

/**
 * The resources declared in the directory, else those in force (Secrets and ConfigMaps given as folders are only in the former).
 * @throws Error when no operator ever ran on the state folder
 */
export function inventoryOf({ directory, state, at }: Pick<PolicyWish, 'directory' | 'state' | 'at'>): Inventory {
  return directory === undefined ? inForce(state) : declared(directory, at);
}

/** What the operator of that state folder works with. */
function inForce(state: string): Inventory {
  const { acceptedFile } = stateFolder(state);
  if (!existsSync(acceptedFile))
    throw new Error(
      `nobody to believe: give --anchor FILE, or -f DIR with a TrustSpace, or --state of an operator (none ran in ${state})`,
    );
  return toInventory(readAccepted(acceptedFile), { files: new Map(), secrets: new Map(), configMaps: new Map() });
}

/** What is declared in a folder, as `drimbox up` reads it. */
function declared(directory: string, at: Date): Inventory {
  const content = readDirectory(directory);
  const { accepted, faults } = accept({
    definitions: readDefinitions(join(import.meta.dirname, '../../crds')),
    files: content.files,
    before: [],
    now: at.toISOString(),
    newUid: randomUUID,
  });
  const inventory = toInventory(accepted, content);
  const [fault] = faults;
  if (inventory.trustSpaces.length === 0 && fault !== undefined)
    throw new Error(`${fault.file}:${fault.line}: ${fault.message}`);
  return inventory;
}

function signerOf({ signerCn, signerOu }: PolicyWish, otherwise: WhitelistPolicy['signer']): WhitelistPolicy['signer'] {
  return {
    commonName: signerCn ?? otherwise.commonName,
    organizationalUnit: signerOu ?? otherwise.organizationalUnit,
  };
}
