/** Where the API server is and who we are to it. */

export interface KubeAccess {
  /** `https://host:port`, without a trailing slash. */
  readonly server: string;
  /** PEM material for the next connection; read again for each new one, so that rotated files are taken up. */
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

/** @throws Error when this is not a pod with a service account */
export declare function inClusterAccess(): KubeAccess;
/** @throws Error naming the file and what is wrong in it */
export declare function kubeconfigAccess(file: string, context?: string): Promise<KubeAccess>;
