/** Who is at the other end of the TLS connection: the same shape behind both doors (architecture §5.3). */
export interface Peer {
  readonly commonName: string;
  readonly organizationalUnit: string;
  /** Hex, lower case; empty when the door does not tell. */
  readonly serial: string;
  readonly issuer: string;
}

/** A verified access token. `professionalId` is for the audit; never log the token. */
export type TokenVerdict =
  | {
      readonly active: true;
      readonly professionalId: string;
      readonly clientId: string;
      readonly expiresAt: number | undefined;
    }
  | { readonly active: false; readonly detail: string };

export interface TokenIntrospection {
  /** Fails closed: an unreachable PSC gives `active: false` (ci-sis §14.3). */
  introspect(token: string, signal?: AbortSignal): Promise<TokenVerdict>;
}
