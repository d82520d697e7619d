/** The image that holds each pod's namespaces: one static program. */
import { join } from 'node:path';
import { writeImage } from '../../../images/oci.ts';
import { pauseImage } from './configuration.ts';

/** The archive's path. @param binaries folder that holds the built `pause` */
export function makePauseImage(directory: string, binaries: string): string {
  const program = { kind: 'file', name: 'pause', mode: 0o755, content: { path: join(binaries, 'pause') } } as const;
  const image = writeImage(
    directory,
    'pause',
    {
      reference: pauseImage,
      layers: [{ title: 'pause', entries: [program] }],
      entrypoint: ['/pause'],
      environment: [],
      workingDirectory: '/',
      user: '65532:65532',
      annotations: {},
    },
    0,
  );
  return image.archive;
}
