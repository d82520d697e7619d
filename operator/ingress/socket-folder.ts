/** Where the sockets between operator and Envoy live: the ingress folder, or a private one when its path is too long for a socket. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
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

/** @param folder readable by our user alone; the one made instead of it is too, and is the same every time: a proxy that runs looks there */
export function socketFolder(folder: string): SocketFolder {
  const fits = Buffer.byteLength(join(folder, 'admin.sock')) <= maxSocketPath;
  const used = fits ? folder : privateFolder(folder);
  return {
    controlPlane: join(used, 'xds.sock'),
    admin: join(used, 'admin.sock'),
    remove: () => {
      if (!fits) rmSync(used, { recursive: true, force: true });
    },
  };
}

/** @throws Error when somebody else made it first */
function privateFolder(instead: string): string {
  const made = join(tmpdir(), `drimbox-${createHash('sha256').update(instead).digest('hex').slice(0, 16)}`);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(made); // a link to elsewhere has a mode of its own: 0777
  if (uid !== process.getuid?.() || (mode & 0o777) !== 0o700)
    throw new Error(`${made} is not ours alone; remove it, or give --state a path short enough for sockets beside it`);
  return made;
}
