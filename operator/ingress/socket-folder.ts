/** Where the sockets between operator and Envoy live: the ingress folder, or a private one when its path is too long for a socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Length of sun_path, less its final NUL. */
const maxSocketPath = 107;

export interface SocketFolder {
  readonly controlPlane: string;
  readonly admin: string;
  /** Removes a folder that was made for them. */
  remove(): void;
}

/** @param folder readable by our user alone; a folder made instead of it is too (mkdtemp: 0700) */
export function socketFolder(folder: string): SocketFolder {
  const fits = Buffer.byteLength(join(folder, 'admin.sock')) <= maxSocketPath;
  const used = fits ? folder : mkdtempSync(join(tmpdir(), 'drimbox-'));
  return {
    controlPlane: join(used, 'xds.sock'),
    admin: join(used, 'admin.sock'),
    remove: () => {
      if (!fits) rmSync(used, { recursive: true, force: true });
    },
  };
}
