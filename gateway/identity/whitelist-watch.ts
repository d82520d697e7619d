/**
 * The whitelist in force at this gateway: verified again on each load, whoever delivered it; the last good one stays when a
 * newer file is refused (ci-sis §10.4). Own entry missing: WADO server off, health DOWN (DB.CS.164).
 */
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import type { WhitelistConfig } from '../../common/contract/gateway-config.ts';
import { firstPartOf, readPacked } from '../../common/contract/packed-file.ts';
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
  /** Looks at the file from now on, and verifies again each hour: certificates and CRLs end. @returns undo */
  follow(config: () => WhitelistConfig): () => void;
}

const lookMs = 1_000;
const verifyAgainMs = 3_600_000;

export function createWhitelistWatch(deps: {
  readonly journal: Journal;
  readonly ownFqdns: () => readonly string[];
  readonly now: () => Date;
}): WhitelistWatch {
  const nothing: WhitelistState = { list: undefined, ownEntry: false, refusal: undefined };
  const state = { current: nothing, running: Promise.resolve() };
  const owns = (list: Whitelist | undefined, fqdn: string): boolean =>
    list?.domains.some(({ db }) => sameName(db, fqdn)) ?? false;

  const refuse = (reason: string, detail: string): void => {
    // not there yet, or taken away by whoever put it there: nothing to believe (ci-sis §10.4, bounded in time by the operator)
    const kept = reason === 'Absent' ? nothing : state.current;
    state.current = { ...kept, refusal: { reason, detail } };
    deps.journal.record({ name: 'WhitelistRefused', reason, detail });
  };

  const accept = (whitelist: Whitelist): void => {
    const active = state.current.list;
    if (active !== undefined && Date.parse(whitelist.generatedAt) < Date.parse(active.generatedAt)) {
      refuse('RollBack', `generated ${whitelist.generatedAt}, the list in force ${active.generatedAt}`);
      return;
    }
    const ownEntry = deps.ownFqdns().some((fqdn) => owns(whitelist, fqdn));
    state.current = { list: whitelist, ownEntry, refusal: undefined };
    const { domains, signedAt } = whitelist;
    deps.journal.record({ name: 'WhitelistLoaded', domains: domains.length, ownEntry, signedAt });
  };

  const load = async (config: WhitelistConfig): Promise<void> => {
    const files = await readFiles(config);
    if ('reason' in files) {
      refuse(files.reason, files.detail);
      return;
    }
    const { list, anchors, crls } = files;
    const { requireRevocation, signer } = config;
    const verdict = await verifyWhitelist(list, { anchors, crls, requireRevocation, signer, at: deps.now() });
    if (verdict.accepted) accept(verdict.whitelist);
    else refuse(verdict.reason, verdict.detail);
  };

  const reload = (config: WhitelistConfig): Promise<void> => {
    // one at a time: a slow verification of an old list must not end after that of a newer one
    state.running = state.running.then(() => load(config));
    return state.running;
  };

  return {
    current: () => state.current,
    isOwnListed: (fqdn) => owns(state.current.list, fqdn),
    reload,
    follow(config) {
      const look = (): void => void reload(config());
      const { file } = config();
      const watched = [file, firstPartOf(file)];
      for (const one of watched) watchFile(one, { interval: lookMs }, look);
      const timer = setInterval(look, verifyAgainMs);
      return () => {
        for (const one of watched) unwatchFile(one, look);
        clearInterval(timer);
      };
    },
  };
}

type Files =
  | { readonly list: Buffer; readonly anchors: readonly Buffer[]; readonly crls: readonly Buffer[] }
  | { readonly reason: string; readonly detail: string };

async function readFiles(config: WhitelistConfig): Promise<Files> {
  try {
    return {
      list: await readPacked(config.file),
      anchors: [await readPacked(config.anchorsFile)],
      crls: config.crlFile === undefined ? [] : [await readPacked(config.crlFile)],
    };
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ENOENT' && !existsSync(config.file); // nor its parts: those fail otherwise
    const detail = error instanceof Error ? error.message : String(error);
    return gone ? { reason: 'Absent', detail } : { reason: 'Unreadable', detail };
  }
}

/** `db` may hold a bare FQDN or an address with scheme and path (ci-sis §10.1). */
function sameName(listed: string, fqdn: string): boolean {
  const name = listed.replace(/^https:\/\//i, '').replace(/[:/].*$/, '');
  return name.toLowerCase() === fqdn.toLowerCase();
}
