/**
 * Keys made here and certificates accepted for them, per PacsLink and kind, in the state folder: a private key never leaves it.
 * Each is one file, so that a key and its certificate change together.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../infrastructure/host/files.ts';
import type { CertificateRequest } from './certificate-request.ts';
import type { PemPair } from './internal-authority.ts';
import type { ServerKind } from './server-certificate.ts';

export interface CertificateStore {
  /** The request that waits for its certificate. */
  pending(link: string, kind: ServerKind): CertificateRequest | undefined;
  /** The certificate last accepted, with its key. */
  accepted(link: string, kind: ServerKind): PemPair | undefined;
  /** @throws Error when one already waits: its key would be lost */
  keep(link: string, kind: ServerKind, request: CertificateRequest): void;
  /** In use from the operator's next round; the request it answers is over. */
  accept(link: string, kind: ServerKind, pair: PemPair): void;
}

/** @param folder absolute; made when missing */
export function certificateStore(folder: string): CertificateStore {
  const fileOf = (link: string, kind: ServerKind, name: string): string => join(folder, link, kind, name);
  const read = (file: string): unknown =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as unknown) : undefined;
  const pending: CertificateStore['pending'] = (link, kind) =>
    read(fileOf(link, kind, 'request.json')) as CertificateRequest | undefined;
  return {
    pending,
    accepted: (link, kind) => read(fileOf(link, kind, 'accepted.json')) as PemPair | undefined,
    keep(link, kind, request) {
      if (pending(link, kind) !== undefined) throw new Error(`${link} ${kind}: a request already waits`);
      writeFileAtomically(fileOf(link, kind, 'request.json'), JSON.stringify(request), { secret: true });
    },
    accept(link, kind, pair) {
      writeFileAtomically(fileOf(link, kind, 'accepted.json'), JSON.stringify(pair), { secret: true });
      if (pending(link, kind)?.keyPem === pair.keyPem) rmSync(fileOf(link, kind, 'request.json'));
    },
  };
}
