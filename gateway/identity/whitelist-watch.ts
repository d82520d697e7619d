/**
 * The whitelist in force at this gateway: verified again on each load, whoever delivered it; the last good one stays when a
 * newer file is refused (ci-sis §10.4). Own entry missing: WADO server off, health DOWN (DB.CS.164).
 */
import { readFile } from 'node:fs/promises';
import type { WhitelistConfig } from '../../common/contract/gateway-config.ts';
import { verifyWhitelist } from '../../common/whitelist/verify.ts';
import type { Whitelist } from '../../common/whitelist/whitelist.ts';
import type { Journal } from '../journal/events.ts';

export interface WhitelistState {
  /** Undefined until a list was accepted. */
  readonly list: Whitelist | undefined;
  /** Some FQDN of this site is on it, under the structure that operates it. */
  readonly ownEntry: boolean;
  readonly refusal: { readonly reason: string; readonly detail: string } | undefined;
}

export interface WhitelistWatch {
  current(): WhitelistState;
  /** Is this FQDN of ours a `db` of the list? Each link stands or falls by its own entry. */
  isOwnListed(wadoFqdn: string): boolean;
  /** Reads and verifies the files again. */
  reload(config: WhitelistConfig): Promise<void>;
}

export function createWhitelistWatch(deps: {
  readonly journal: Journal;
  readonly ownFqdns: () => readonly string[];
  readonly now: () => Date;
}): WhitelistWatch {
  const state: { current: WhitelistState; bytes: string } = {
    current: { list: undefined, ownEntry: false, refusal: undefined },
    bytes: '',
  };
  const owns = (list: Whitelist | undefined, fqdn: string): boolean =>
    list?.domains.some(({ db }) => sameName(db, fqdn)) ?? false;

  const refuse = (reason: string, detail: string): void => {
    state.current = { ...state.current, refusal: { reason, detail } };
    deps.journal.record({ name: 'WhitelistRefused', reason, detail });
  };

  return {
    current: () => state.current,
    isOwnListed: (fqdn) => owns(state.current.list, fqdn),
    async reload(config) {
      let bytes: Buffer;
      const policyFiles: { anchors: Buffer[]; crls: Buffer[] } = { anchors: [], crls: [] };
      try {
        bytes = await readFile(config.file);
        policyFiles.anchors = [await readFile(config.anchorsFile)];
        policyFiles.crls = config.crlFile === undefined ? [] : [await readFile(config.crlFile)];
      } catch (error) {
        refuse('Unreadable', error instanceof Error ? error.message : String(error));
        return;
      }
      const verdict = await verifyWhitelist(bytes, {
        ...policyFiles,
        requireRevocation: config.requireRevocation,
        signer: config.signer,
        at: deps.now(),
      });
      if (!verdict.accepted) {
        refuse(verdict.reason, verdict.detail);
        return;
      }
      const { whitelist } = verdict;
      const active = state.current.list;
      if (active !== undefined && whitelist.generatedAt < active.generatedAt) {
        refuse('RollBack', `generated ${whitelist.generatedAt}, the list in force ${active.generatedAt}`);
        return;
      }
      const ownEntry = deps.ownFqdns().some((fqdn) => owns(whitelist, fqdn));
      state.current = { list: whitelist, ownEntry, refusal: undefined };
      deps.journal.record({
        name: 'WhitelistLoaded',
        domains: whitelist.domains.length,
        ownEntry,
        signedAt: whitelist.signedAt,
      });
    },
  };
}

/** `db` may hold a bare FQDN or an address with scheme and path (ci-sis §10.1). */
function sameName(listed: string, fqdn: string): boolean {
  const name = listed.replace(/^https:\/\//i, '').replace(/[:/].*$/, '');
  return name.toLowerCase() === fqdn.toLowerCase();
}
