/** Whom `drimbox whitelist verify` believes: what the command line says, or a TrustSpace of a watched directory. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WhitelistPolicy } from '../../common/whitelist/whitelist.ts';
import { readDefinitions } from '../api/schema.ts';
import { trustPolicy } from '../controllers/observe-trust.ts';
import { stateFolder } from '../infrastructure/host/state-folder.ts';
import { accept } from '../resources/directory/accept.ts';
import { readDirectory } from '../resources/directory/read.ts';
import { toInventory } from '../resources/directory/source.ts';
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

/** @throws Error when the TrustSpace is not there, or what it refers to can't be had */
export async function policyOfTrustSpace(name: string, wish: PolicyWish): Promise<WhitelistPolicy> {
  if (wish.directory === undefined) throw new Error('--trust-space needs -f DIR, the folder with its resource');
  const content = readDirectory(wish.directory);
  const { accepted, faults } = accept({
    definitions: readDefinitions(join(import.meta.dirname, '../../crds')),
    files: content.files,
    before: [],
    now: wish.at.toISOString(),
    newUid: randomUUID,
  });
  const inventory = toInventory(accepted, content);
  const trust = inventory.trustSpaces.find(({ metadata }) => metadata.name === name);
  if (trust === undefined) {
    const names = inventory.trustSpaces.map(({ metadata }) => metadata.name).join(', ') || 'none';
    const [fault] = faults;
    const why = fault === undefined ? '' : `; ${fault.file}:${fault.line} has a fault: ${fault.message}`;
    throw new Error(`no TrustSpace '${name}' in ${wish.directory} (there: ${names})${why}`);
  }
  const fetcher = openFetcher(stateFolder(wish.state).fetchedFolder, () => undefined, Math.random);
  await trustPolicy(trust, inventory, wish.at, fetcher); // begins the downloads of CRLs that are due
  await fetcher.settled();
  const { anchors, crls, policy } = await trustPolicy(trust, inventory, wish.at, fetcher);
  if (!anchors.ok) throw new Error(`anchors of ${name}: ${anchors.message}`);
  if (!crls.ok && policy.requireRevocation) throw new Error(`CRLs of ${name}: ${crls.message}`);
  const more = wish.crls.map((file) => readFileSync(file));
  return { ...policy, crls: [...policy.crls, ...more], signer: signerOf(wish, policy.signer) };
}

function signerOf({ signerCn, signerOu }: PolicyWish, otherwise: WhitelistPolicy['signer']): WhitelistPolicy['signer'] {
  return {
    commonName: signerCn ?? otherwise.commonName,
    organizationalUnit: signerOu ?? otherwise.organizationalUnit,
  };
}
