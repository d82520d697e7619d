/** Certificates of each structure (DB0 §4.5.5): AUTH_CLI in a connection pool of its own, SIGN for what is signed. */
import { readFileSync } from 'node:fs';
import { Agent } from 'undici';
import type { DmpConfig, DmpStructureConfig } from '../../common/contract/gateway-config.ts';
import { readSigningKey, type SigningKey } from '../../common/signature/signing-key.ts';

export interface Structure {
  readonly signing: SigningKey;
  readonly agent: Agent;
}

export interface Structures {
  of(structureId: string): Structure | undefined;
  close(): Promise<void>;
}

/** Connections kept to the DMP for one structure. */
const CONNECTIONS = 4;

/** TLS 1.3, and of TLS 1.2 only what has forward secrecy and authenticated encryption (EX_0.X-1030, ci-sis §6.1). */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/** @throws Error naming the structure when a file can't be read or a key is not that of its certificate. */
export function openStructures(config: DmpConfig): Structures {
  const ca = readFileSync(config.trustFile);
  const all = new Map(config.structures.map((one) => [one.structureId, open(one, ca, config.timeoutMs)] as const));
  return {
    of: (structureId) => all.get(structureId),
    async close() {
      await Promise.all([...all.values()].map(({ agent }) => agent.close()));
    },
  };
}

function open(
  { structureId, authentication, signature }: DmpStructureConfig,
  ca: Buffer,
  timeoutMs: number,
): Structure {
  try {
    const cert = readFileSync(authentication.certificateFile);
    const key = readFileSync(authentication.keyFile);
    readSigningKey(cert, key);
    return {
      signing: readSigningKey(readFileSync(signature.certificateFile), readFileSync(signature.keyFile)),
      agent: new Agent({
        connections: CONNECTIONS,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        connect: { ca, cert, key, minVersion: 'TLSv1.2', ciphers: CIPHERS, timeout: timeoutMs },
      }),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`dmp.structures ${structureId}: ${why}`, { cause: error });
  }
}
