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
        connect: { ca, cert, key, minVersion: 'TLSv1.2', timeout: timeoutMs },
      }),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`dmp.structures ${structureId}: ${why}`, { cause: error });
  }
}
