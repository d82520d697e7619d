/** Every certificate that is in service, every request that waits: what `drimbox certificate list` shows. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readStatus } from '../controllers/status-document.ts';
import type { StateFolder } from '../infrastructure/host/state-folder.ts';
import { expiryWarning } from '../plan/certificates.ts';
import type { PendingRequest } from '../plan/observations.ts';
import type { Plan } from '../plan/plan.ts';
import { certificateStore } from '../trust/certificate-store.ts';
import { serverKinds } from '../trust/server-identities.ts';

export interface CertificateRow {
  /** PacsLink or DrimboxSite, `NAMESPACE/NAME`. */
  readonly owner: string;
  /** db, vi, or the use towards the DMP. */
  readonly kind: string;
  /** DNS names, or the subject's CN. */
  readonly names: readonly string[];
  readonly issuer?: string;
  /** RFC 3339. */
  readonly notAfter?: string;
  readonly daysLeft?: number;
  /** `InService`, `ExpiresIn30Days` and so on, `Expired`, `Requested`. */
  readonly state: string;
  /** Why a newer one is not in service; the condition's message. */
  readonly quarantined?: string;
}

/** @returns undefined when no operator ever ran there */
export function listCertificates(state: StateFolder, now: Date): readonly CertificateRow[] | undefined {
  if (!existsSync(state.planFile)) return undefined;
  const { gateways, ingress } = JSON.parse(readFileSync(state.planFile, 'utf8')) as Plan;
  const resources = readStatus(state.statusFile)?.resources ?? [];
  const links = resources.filter(({ kind }) => kind === 'PacsLink');
  const served = ingress.hosts.map(({ link, kind, fqdn, identity }) => {
    const ready = links.find(({ key }) => key === link)?.conditions.find(({ type }) => type === 'CertificatesReady');
    const quarantined = ready?.status === 'False' && ready.message.includes(identity.name) ? ready : undefined;
    const row = rowOf(link, kind, identity.certificatePem, now, [fqdn]);
    return quarantined === undefined ? row : { ...row, quarantined: `${quarantined.reason}: ${quarantined.message}` };
  });
  const own = gateways.flatMap(({ site, files }) =>
    files.flatMap(({ name, content }) => {
      const use = /^(dmp-.*)-[0-9a-f]+\.crt$/.exec(name)?.[1];
      return use === undefined ? [] : [rowOf(site, use, content, now)];
    }),
  );
  return [...served, ...own, ...links.flatMap(({ key }) => waiting(state, key, links))];
}

function waiting(
  state: StateFolder,
  link: string,
  links: readonly { readonly key: string; readonly fields: Readonly<Record<string, unknown>> }[],
): CertificateRow[] {
  const store = certificateStore(state.certificatesFolder);
  const told = links.find(({ key }) => key === link)?.fields['certificateRequests'] as PendingRequest[] | undefined;
  return serverKinds.flatMap((kind) => {
    if (store.pending(link, kind) === undefined) return [];
    const names = told?.filter((request) => request.kind === kind).map(({ fqdn }) => fqdn) ?? [];
    return [{ owner: link, kind, names, state: 'Requested' }];
  });
}

function rowOf(owner: string, kind: string, pem: string, now: Date, names?: readonly string[]): CertificateRow {
  const leaf = new X509Certificate(pem);
  const left = leaf.validToDate.getTime() - now.getTime();
  return {
    owner,
    kind,
    names: names ?? [commonName(leaf.subject)],
    issuer: commonName(leaf.issuer),
    notAfter: leaf.validToDate.toISOString(),
    daysLeft: Math.floor(left / 86_400_000),
    state: left <= 0 ? 'Expired' : (expiryWarning(left) ?? 'InService'),
  };
}

function commonName(name: string): string {
  return /^CN=(.*)$/m.exec(name)?.[1] ?? name.replaceAll('\n', ', ');
}

export function writeRows(rows: readonly CertificateRow[]): string {
  const head = ['OWNER', 'KIND', 'NAMES', 'ISSUER', 'END', 'DAYS', 'STATE'];
  const body = rows.map(({ owner, kind, names, issuer, notAfter, daysLeft, state }) =>
    [owner, kind, names.join(' '), issuer, notAfter?.slice(0, 10), daysLeft, state].map((cell) => String(cell ?? '-')),
  );
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => (cells[column] ?? '').length)));
  const table = [head, ...body].map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const refused = rows.flatMap(({ quarantined }) => quarantined ?? []);
  return [...table, ...new Set(refused)].join('\n');
}
