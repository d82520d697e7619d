/** Access by a kubeconfig file: parsing, sign-in plugins (exec, OIDC...) are those of the Kubernetes project's own client. */
import type { RequestOptions } from 'node:https';
import type { KubeAccess, KubeTls } from './access.ts';

/** A token of a plugin is asked for anew after this long: the shortest-lived one known lives 15 min (EKS). */
const tokenMs = 300_000;
/** A token that names its own end (JWT `exp`) is replaced this long before. */
const marginMs = 60_000;

interface Material {
  readonly tls: KubeTls;
  readonly authorization: string | undefined;
  /** Wall-clock ms after which it is asked for anew. */
  readonly until: number;
}

/**
 * The file is read again whenever the credential is renewed. The library is imported here only: it costs 0.9 s and 85 MB.
 * @param now wall clock, ms
 * @throws Error naming the file and what is wrong in it
 */
export async function kubeconfigAccess(
  file: string,
  context?: string,
  now: () => number = Date.now,
): Promise<KubeAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const open = (): InstanceType<typeof KubeConfig> => {
    const config = new KubeConfig();
    config.loadFromFile(file);
    if (context !== undefined) config.setCurrentContext(context);
    return config;
  };
  const first = open();
  const name = first.getCurrentContext();
  const cluster = first.getCurrentCluster();
  if (cluster === null) throw new Error(`${file}: context '${name}' is missing or names no cluster`);
  // A new KubeConfig each time: an instance keeps a plugin's token until it has expired, and after a 401 as well.
  const renew = async (): Promise<Material> => {
    const options: RequestOptions = {};
    await open().applyToHTTPSOptions(options);
    return toMaterial(options, cluster.tlsServerName, cluster.skipTLSVerify, now());
  };
  let material = await renew();
  let renewing: Promise<void> | undefined;
  const replace = async (): Promise<void> => {
    try {
      material = await renew();
    } finally {
      renewing = undefined;
    }
  };
  const fresh = async (): Promise<void> => {
    if (now() < material.until) return;
    renewing ??= replace();
    await renewing;
  };
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: first.getContextObject(name)?.namespace ?? 'default',
    tls: () => material.tls,
    async authorization() {
      await fresh();
      return material.authorization;
    },
    refused() {
      material = { ...material, until: 0 };
    },
  };
}

function toMaterial(
  options: RequestOptions,
  servername: string | undefined,
  insecure: boolean | undefined,
  now: number,
): Material {
  const tls: KubeTls = {
    ...pem('ca', options.ca),
    ...pem('cert', options.cert),
    ...pem('key', options.key),
    ...(servername === undefined ? {} : { servername }),
    ...(insecure === true ? { insecure } : {}),
  };
  const authorization = authorizationOf(options);
  return { tls, authorization, until: Math.min(now + tokenMs, (expiryOf(authorization) ?? Infinity) - marginMs) };
}

function pem(field: 'ca' | 'cert' | 'key', value: unknown): Partial<KubeTls> {
  return typeof value === 'string' || Buffer.isBuffer(value) ? { [field]: value.toString() } : {};
}

function authorizationOf(options: RequestOptions): string | undefined {
  // Set by the plugins as a plain object; Node's type allows a flat list as well.
  const value = Object.entries(options.headers ?? {}).find(([name]) => name === 'Authorization')?.[1];
  if (typeof value === 'string') return value;
  return typeof options.auth === 'string' ? `Basic ${Buffer.from(options.auth).toString('base64')}` : undefined;
}

/** Wall-clock ms of the `exp` of a JWT; undefined for any other token, which is as well. */
export function expiryOf(authorization: string | undefined): number | undefined {
  const payload = authorization?.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly exp?: unknown };
    return typeof claims.exp === 'number' ? claims.exp * 1000 : undefined;
  } catch {
    // Not a JWT: opaque tokens are renewed by their age.
    return undefined;
  }
}
