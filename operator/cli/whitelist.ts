/** `drimbox whitelist`: verify, show, diff, refresh. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { WhitelistPolicy, WhitelistVerdict } from '../../common/whitelist/whitelist.ts';
import { stateFolder } from '../infrastructure/host/state-folder.ts';
import { policyOfOptions, policyOfTrustSpace } from './whitelist-policy.ts';
import { diffLists, verdictJson, writeDiff, writeList, writeVerdict } from './whitelist-text.ts';

export const whitelistUsage = `usage: drimbox whitelist verify FILE [--anchor FILE... | --trust-space NAME [-f DIR]] [options]
       drimbox whitelist show FILE ... (as verify)       the entries of a verified list
       drimbox whitelist diff OLD NEW ... (as verify)    entries added, removed and changed; both lists are verified
       drimbox whitelist refresh [--state DIR]           the operator fetches whitelist and CRLs again at once

FILE is the signed XML as published; '-' is standard input.

  --anchor FILE         believed certificate, PEM or DER: the root of IGC-Sante, or an intermediate; may be repeated
  --crl FILE            CRL, PEM or DER; may be repeated. Without any, revocation is not checked, and the answer says so
  --signer-cn CN        signer (default: Liste Blanche DRIM-M, the one of TEST; PROD: Liste Blanche DRIM-M PROD)
  --signer-ou OU        its structure (default: 318751275100020)
  --trust-space NAME    anchors, CRLs, signer and policy of that TrustSpace (default without --anchor: the only one)
  -f, --directory DIR   folder with the TrustSpace, as for drimbox up (default: what the operator of --state has in force)
  --state DIR           state folder of the operator (default ./.drimbox)
  --at TIME             judge as of this time, ISO 8601 (default: now)
  --json                one JSON object

Exit codes: 0 accepted (diff: no difference), 1 refused (diff: different), 2 wrong usage.
`;

type Verify = (bytes: Uint8Array, policy: WhitelistPolicy) => Promise<WhitelistVerdict>;

const options = {
  anchor: { type: 'string', multiple: true, default: [] as string[] },
  crl: { type: 'string', multiple: true, default: [] as string[] },
  'signer-cn': { type: 'string' },
  'signer-ou': { type: 'string' },
  'trust-space': { type: 'string' },
  directory: { type: 'string', short: 'f' },
  state: { type: 'string', default: '.drimbox' },
  at: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** @returns the exit code */
export async function whitelist(argv: readonly string[], verify: Verify): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const [action, ...files] = positionals;
  if (values.help) {
    process.stdout.write(whitelistUsage);
    return 0;
  }
  if (action === 'refresh' && files.length === 0) return refresh(resolve(values.state));
  const wanted = action === 'diff' ? 2 : 1;
  if (action === undefined || !['verify', 'show', 'diff'].includes(action) || files.length !== wanted) return misused();
  const at = values.at === undefined ? new Date() : new Date(values.at);
  if (Number.isNaN(at.getTime())) return misused(`--at '${values.at ?? ''}' is not an ISO 8601 time`);
  const space = values['trust-space'];
  if (space !== undefined && values.anchor.length > 0) return misused('give either --anchor or --trust-space');
  const wish = {
    anchors: values.anchor,
    crls: values.crl,
    signerCn: values['signer-cn'],
    signerOu: values['signer-ou'],
    at,
    directory: values.directory === undefined ? undefined : resolve(values.directory),
    state: resolve(values.state),
  };
  const policy = values.anchor.length > 0 ? policyOfOptions(wish) : await policyOfTrustSpace(space, wish);
  const verdicts: WhitelistVerdict[] = [];
  for (const file of files) verdicts.push(await verify(readFileSync(file === '-' ? 0 : file), policy));
  return action === 'diff' ? answerDiff(files, verdicts, values.json) : answer(action, verdicts[0], values.json);
}

function misused(why?: string): number {
  process.stderr.write(`${why === undefined ? '' : `drimbox: ${why}\n`}${whitelistUsage}`);
  return 2;
}

function answer(action: string, verdict: WhitelistVerdict | undefined, json: boolean): number {
  if (verdict === undefined) return misused();
  if (json) console.log(JSON.stringify(verdictJson(verdict)));
  else if (action === 'show' && verdict.accepted) console.log(writeList(verdict.whitelist));
  else console.log(writeVerdict(verdict));
  return verdict.accepted ? 0 : 1;
}

function answerDiff(files: readonly string[], verdicts: readonly WhitelistVerdict[], json: boolean): number {
  const [before, after] = verdicts;
  for (const [index, verdict] of verdicts.entries())
    if (!verdict.accepted) {
      console.log(
        json
          ? JSON.stringify({ file: files[index], ...verdictJson(verdict) })
          : `${files[index] ?? ''}: ${writeVerdict(verdict)}`,
      );
      return 1;
    }
  if (!before?.accepted || !after?.accepted) return misused();
  const difference = diffLists(before.whitelist, after.whitelist);
  console.log(json ? JSON.stringify(difference) : writeDiff(difference));
  return difference.added.length + difference.removed.length === 0 ? 0 : 1;
}

/** The operator on this host fetches again on SIGHUP (DB.CS.147: manual refresh). */
function refresh(state: string): number {
  const { lockFile } = stateFolder(state);
  const pid = existsSync(lockFile) ? Number(readFileSync(lockFile, 'utf8')) : 0;
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) {
    console.error(`drimbox: no operator runs with the state folder ${state}`);
    return 1;
  }
  process.kill(pid, 'SIGHUP');
  console.log(`the operator (process ${pid}) fetches whitelist and CRLs again; drimbox status tells the outcome`);
  return 0;
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('operator');
  } catch {
    return false; // no such process: its number may since belong to nobody
  }
}
