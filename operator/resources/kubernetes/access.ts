/** Where the API server is and who we are to it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KubeAccess {
  /** `https://host:port`, without a trailing slash. */
  readonly server: string;
  /** PEM material for the next connection; asked for each new one, so that rotated files are taken up. */
  tls(): KubeTls;
  /** Value of the Authorization header, or undefined when the client certificate is all there is. */
  authorization(): Promise<string | undefined>;
  /** The API server answered 401: the next authorization() asks its source again. */
  refused(): void;
  /** Namespace of the service account, or of the kubeconfig's context (`default` when it names none). */
  readonly namespace: string;
}

export interface KubeTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  /** Left out: verified. */
  readonly insecure?: boolean;
}

export interface InClusterOptions {
  /** Where the service account is mounted. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that never go back. */
  readonly nowMs?: () => number;
}

const mounted = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet rotates the file well before expiry; client-go reads it again each minute too. */
const tokenMs = 60_000;

/**
 * The service account of the pod we run in. Own code: a pod must not pay for importing the generated client.
 * @throws Error when this is not a pod with a service account, naming what is missing
 */
export function inClusterAccess(options: InClusterOptions = {}): KubeAccess {
  const { folder = mounted, env = process.env, nowMs = () => performance.now() } = options;
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || host === '' || port === undefined || port === '') {
    throw new Error('KUBERNETES_SERVICE_HOST and _PORT are not set: not in a pod; name a kubeconfig file instead');
  }
  const read = (name: string): string => readServiceAccount(join(folder, name));
  let token: { readonly value: string; readonly readAt: number } | undefined;
  const current = (): string => {
    if (token === undefined || nowMs() - token.readAt >= tokenMs) {
      token = { value: `Bearer ${read('token')}`, readAt: nowMs() };
    }
    return token.value;
  };
  current(); // a pod without a token is told so at start, not at its first request
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: () => ({ ca: read('ca.crt') }),
    authorization: async () => current(),
    refused: () => {
      token = undefined;
    },
    namespace: read('namespace'),
  };
}

function readServiceAccount(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`${file} cannot be read: set automountServiceAccountToken and serviceAccountName on the pod`, {
      cause: error,
    });
  }
  if (text === '') throw new Error(`${file} is empty: a service account file must not be`);
  return text;
}
