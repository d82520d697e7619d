/** What the operator keeps of a site, read as an administrator could: the gateway's configuration and the internal identities. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayConfig } from '../../common/contract/gateway-config.ts';
import { namespace } from '../demo/world.ts';

export function readSiteConfig(state: string, site: string): GatewayConfig {
  return JSON.parse(readFileSync(join(state, 'sites', namespace, site, 'config.json'), 'utf8')) as GatewayConfig;
}

/** @throws Error when the internal authority has no such name */
export function internalPair(
  state: string,
  name: string,
): { readonly certificatePem: string; readonly keyPem: string } {
  const { leaves } = JSON.parse(readFileSync(join(state, 'internal-authority.json'), 'utf8')) as {
    leaves: Record<string, { certificatePem: string; keyPem: string }>;
  };
  const pair = leaves[name];
  if (!pair) throw new Error(`the internal authority has no ${name}`);
  return pair;
}
