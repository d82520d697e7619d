/** `drimbox certificate`: a key and its request made in the state folder, its certificate accepted, and what there is. */
import { type X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readCertificates, toPem } from '../../common/pki/certificates.ts';
import type { PacsLink } from '../api/types.generated.ts';
import { trustPolicy } from '../controllers/observe-trust.ts';
import { stateFolder } from '../infrastructure/host/state-folder.ts';
import { siteOf } from '../plan/acceptance.ts';
import { type Inventory, keyOf } from '../resources/inventory.ts';
import { type CertificateRequest, makeRequest } from '../trust/certificate-request.ts';
import { certificateStore } from '../trust/certificate-store.ts';
import { folderStore } from '../trust/document-store.ts';
import { openFetcher } from '../trust/fetch.ts';
import { readIdentity } from '../trust/material.ts';
import { identityJudge } from '../trust/server-identities.ts';
import type { ServerKind } from '../trust/server-certificate.ts';
import { listCertificates, writeRows } from './certificate-list.ts';
import { inventoryOf } from './whitelist-policy.ts';

export const certificateUsage = `usage: drimbox certificate request --link NAMESPACE/NAME --kind db|vi [-f DIR] [--state DIR]
       drimbox certificate accept --link NAMESPACE/NAME --kind db|vi --file CERT [-f DIR] [--state DIR]
       drimbox certificate list [--state DIR] [--json]

request   makes a key in the state folder, which it never leaves, and prints its request (CSR, PEM) for the PFC portal (db) or a
          market authority (vi); asked again it prints the same until its certificate is accepted
accept    checks what the authority signed (key, name, chain, dates, usages, revocation) and puts it into service at the operator's
          next round; connections under way keep the former one
list      every certificate in service and every request that waits

  --file CERT           PEM or DER: the leaf, then its chain; '-' is standard input
  -f, --directory DIR   folder of the resources, as for drimbox up (default: those the operator of --state has in force)
  --state DIR           state folder of the operator (default ./.drimbox)

Exit codes: 0 done, 1 refused or not there, 2 wrong usage.
`;

const options = {
  link: { type: 'string' },
  kind: { type: 'string' },
  file: { type: 'string' },
  directory: { type: 'string', short: 'f' },
  state: { type: 'string', default: '.drimbox' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

interface Wish {
  readonly inventory: Inventory;
  readonly link: PacsLink;
  readonly kind: ServerKind;
  /** Absolute. */
  readonly state: string;
  readonly now: Date;
}

/** @returns the exit code */
export async function certificate(argv: readonly string[], now: Date): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const [action, ...more] = positionals;
  if (values.help) {
    process.stdout.write(certificateUsage);
    return 0;
  }
  const state = resolve(values.state);
  if (more.length > 0) return misused();
  if (action === 'list') return list(state, values.json, now);
  if (action !== 'request' && action !== 'accept') return misused();
  const { kind, file } = values;
  if (values.link === undefined) return misused('--link NAMESPACE/NAME is missing');
  if (kind !== 'db' && kind !== 'vi') return misused('--kind is db or vi');
  if (action === 'accept' && file === undefined) return misused('--file CERT is missing');
  const directory = values.directory === undefined ? undefined : resolve(values.directory);
  const inventory = inventoryOf({ directory, state, at: now });
  const link = inventory.links.find((candidate) => keyOf(candidate) === values.link);
  if (link === undefined) {
    const known = inventory.links.map(keyOf).join(', ') || 'none';
    return refused(`no PacsLink ${values.link} (there: ${known})`);
  }
  const wish: Wish = { inventory, link, kind, state, now };
  return file === undefined ? await request(wish) : await accept(wish, readFileSync(file === '-' ? 0 : file));
}

async function request({ inventory, link, kind, state, now }: Wish): Promise<number> {
  const key = keyOf(link);
  const store = certificateStore(stateFolder(state).certificatesFolder);
  const waiting = store.pending(key, kind);
  if (waiting !== undefined) return print(waiting);
  const site = inventory.sites.find((candidate) => keyOf(candidate) === siteOf(link));
  if (site === undefined) return refused(`no DrimboxSite ${siteOf(link)}; its structure is written into the request`);
  const { name, id } = site.spec.structure;
  const made = await makeRequest({ fqdn: link.spec[kind].fqdn, organisation: name, structureId: id }, now);
  store.keep(key, kind, made);
  return print(made);
}

function print({ csrPem }: CertificateRequest): number {
  process.stdout.write(csrPem);
  return 0;
}

async function accept({ inventory, link, kind, state, now }: Wish, bytes: Buffer): Promise<number> {
  const key = keyOf(link);
  const folder = stateFolder(state);
  const store = certificateStore(folder.certificatesFolder);
  const chain = readCertificates(bytes);
  const keyPem = [store.pending(key, kind), store.accepted(key, kind)].find(
    (held) => held !== undefined && isKeyOf(held.keyPem, chain[0]),
  )?.keyPem;
  if (keyPem === undefined)
    return refused(
      `KeyMismatch: no key made here for ${key} ${kind} belongs to it; sign what drimbox certificate request prints`,
    );
  const certificatePem = chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join('');
  const site = inventory.sites.find((candidate) => keyOf(candidate) === siteOf(link));
  const space = inventory.trustSpaces.find((candidate) => keyOf(candidate) === site?.spec.trustSpace);
  const fetcher = openFetcher(folderStore(folder.fetchedFolder), () => undefined, Math.random);
  const trust = space === undefined ? undefined : await trustPolicy(space, inventory, now, fetcher);
  await fetcher.settled();
  const identity = readIdentity({ 'tls.crt': Buffer.from(certificatePem), 'tls.key': Buffer.from(keyPem) });
  const verdict = await identityJudge()(identity, { kind, fqdn: link.spec[kind].fqdn }, trust, now);
  if (!verdict.ok) return refused(`${verdict.reason}: ${verdict.message}`);
  store.accept(key, kind, { certificatePem, keyPem });
  console.log(`${key} ${kind}: accepted, until ${verdict.notAfter}; in service from the operator's next round`);
  return 0;
}

function isKeyOf(keyPem: string, leaf: X509Certificate | undefined): boolean {
  return leaf?.checkPrivateKey(createPrivateKey(keyPem)) ?? false;
}

function list(state: string, json: boolean, now: Date): number {
  const rows = listCertificates(stateFolder(state), now);
  if (rows === undefined) return refused(`no operator ever ran with the state folder ${state}`);
  console.log(json ? JSON.stringify(rows, undefined, 2) : writeRows(rows));
  return 0;
}

function refused(why: string): number {
  console.error(`drimbox: ${why}`);
  return 1;
}

function misused(why?: string): number {
  process.stderr.write(`${why === undefined ? '' : `drimbox: ${why}\n`}${certificateUsage}`);
  return 2;
}
