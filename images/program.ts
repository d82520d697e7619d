/** What each of our images runs. */
import { gatewayNodeOptions } from '../common/contract/gateway-command.ts';
import { operatorEnvironment, operatorNodeOptions } from '../common/contract/operator-command.ts';

export interface ImageProgram {
  readonly name: 'operator' | 'gateway';
  readonly title: string;
  /** Folders and files of this repository that go in. */
  readonly sources: readonly string[];
  readonly main: string;
  readonly nodeOptions: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export const imagePrograms: readonly ImageProgram[] = [
  {
    name: 'operator',
    title: 'drimbox operator',
    sources: ['operator', 'common', 'crds', 'package.json'],
    main: 'operator/main.ts',
    nodeOptions: operatorNodeOptions,
    environment: operatorEnvironment,
  },
  {
    name: 'gateway',
    title: 'drimbox gateway',
    sources: ['gateway', 'common', 'package.json'],
    main: 'gateway/main.ts',
    nodeOptions: gatewayNodeOptions,
    environment: {},
  },
];

/** Root file system of every image, as absolute paths. */
export const places = {
  node: '/usr/local/bin/node',
  envoy: '/usr/local/bin/envoy',
  app: '/app',
  authorities: '/etc/ssl/certs/ca-certificates.crt',
} as const;

/** Nobody's number on Debian, and the one distroless images use: the same in every image, so volumes can be shared. */
export const user = '65532:65532';

/** `NAME=VALUE` */
export function environment(program: ImageProgram): string[] {
  const common = { PATH: '/usr/local/bin', HOME: '/tmp', NODE_ENV: 'production' };
  return Object.entries({ ...common, ...program.environment }).map(([name, value]) => `${name}=${value}`);
}

export function entrypoint(program: ImageProgram): string[] {
  return [places.node, ...program.nodeOptions, `${places.app}/${program.main}`];
}
