/** Verdicts and lists, for people and for scripts. Pure. */
import { whitelistReasons } from '../../common/whitelist/reasons.ts';
import type { Whitelist, WhitelistDomain, WhitelistVerdict } from '../../common/whitelist/whitelist.ts';

/** The object that `--json` prints. */
export function verdictJson(verdict: WhitelistVerdict): Readonly<Record<string, unknown>> {
  if (!verdict.accepted) return { accepted: false, reason: verdict.reason, detail: verdict.detail };
  const { signer, signedAt, generatedAt, revocation, domains } = verdict.whitelist;
  return {
    accepted: true,
    signer,
    signedAt,
    generatedAt,
    revocation,
    domains: domains.map(({ db, vi, commonName, organizationalUnit }) => ({ db, vi, commonName, organizationalUnit })),
  };
}

export function writeVerdict(verdict: WhitelistVerdict): string {
  if (!verdict.accepted) {
    const meaning = Object.entries(whitelistReasons).find(([reason]) => reason === verdict.reason)?.[1];
    return `refused: ${verdict.reason}\n  ${verdict.detail}${meaning === undefined ? '' : `\n  (${meaning})`}`;
  }
  const { signer, signedAt, generatedAt, revocation, domains } = verdict.whitelist;
  return [
    `accepted: ${domains.length} entries, generated ${generatedAt}`,
    `  signed ${signedAt} by CN=${signer.commonName}, OU=${signer.organizationalUnit}`,
    `  certificate ${signer.serial} of ${signer.issuer}, until ${signer.notAfter}`,
    revocation === 'good' ? '  not revoked' : '  revocation was not checked: give the CRLs of the chain with --crl',
  ].join('\n');
}

export function writeList(list: Whitelist): string {
  const rows = list.domains.map((one) => [one.db, one.vi, one.commonName, one.organizationalUnit, one.denomination]);
  const table = [['DB', 'VI', 'CN', 'OU', 'DENOMINATION'], ...rows];
  const widths = (table[0] ?? []).map((_title, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export interface ListDifference {
  readonly from: string;
  readonly to: string;
  readonly added: readonly WhitelistDomain[];
  readonly removed: readonly WhitelistDomain[];
}

/** A changed entry is one removed and one added. */
export function diffLists(before: Whitelist, after: Whitelist): ListDifference {
  const known = new Set(before.domains.map(keyOf));
  const kept = new Set(after.domains.map(keyOf));
  return {
    from: before.generatedAt,
    to: after.generatedAt,
    added: after.domains.filter((domain) => !known.has(keyOf(domain))),
    removed: before.domains.filter((domain) => !kept.has(keyOf(domain))),
  };
}

function keyOf(domain: WhitelistDomain): string {
  return JSON.stringify([
    domain.db,
    domain.vi,
    domain.commonName.toLowerCase(),
    domain.organizationalUnit,
    domain.denomination,
  ]);
}

export function writeDiff({ from, to, added, removed }: ListDifference): string {
  const line = (sign: string, one: WhitelistDomain): string =>
    `${sign} ${one.db} ${one.vi} CN=${one.commonName} OU=${one.organizationalUnit} ${one.denomination}`.trimEnd();
  return [
    `${from} -> ${to}: ${added.length} added, ${removed.length} removed`,
    ...removed.map((one) => line('-', one)),
    ...added.map((one) => line('+', one)),
  ].join('\n');
}
