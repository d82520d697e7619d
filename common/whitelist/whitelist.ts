/** The ANS whitelist as read from a verified signature (ci-sis §10). */

export interface WhitelistDomain {
  readonly db: string;
  readonly vi: string;
  readonly commonName: string;
  readonly organizationalUnit: string;
  readonly denomination: string;
}

export interface Whitelist {
  /** DateDeGeneration, ISO 8601: what roll-back is judged on. */
  readonly generatedAt: string;
  /** SigningTime, ISO 8601. */
  readonly signedAt: string;
  readonly signer: {
    readonly commonName: string;
    readonly organizationalUnit: string;
    readonly issuer: string;
    readonly serial: string;
    readonly notAfter: string;
  };
  readonly revocation: 'good' | 'not checked';
  readonly domains: readonly WhitelistDomain[];
}

export interface WhitelistPolicy {
  /** PEM or DER certificates: IGC-Sante roots (or an intermediate) of the environment. */
  readonly anchors: readonly Uint8Array[];
  /** PEM or DER. */
  readonly crls: readonly Uint8Array[];
  readonly requireRevocation: boolean;
  readonly signer: { readonly commonName: string; readonly organizationalUnit: string };
  readonly at: Date;
}

/** Each way a list can be refused has its own reason; `detail` names the element or certificate. */
export type WhitelistVerdict =
  | { readonly accepted: true; readonly whitelist: Whitelist }
  | { readonly accepted: false; readonly reason: string; readonly detail: string };

/** CN without regard to case, OU exactly, both in the same Domaine (ci-sis §10.1). */
export function isListed(
  whitelist: Whitelist,
  peer: { readonly commonName: string; readonly organizationalUnit: string },
): boolean {
  const commonName = peer.commonName.toLowerCase();
  return whitelist.domains.some(
    (d) => d.commonName.toLowerCase() === commonName && d.organizationalUnit === peer.organizationalUnit,
  );
}

/** A list of 5 000 DRIMboxes takes 1.2 to 2.3 MB, as its indentation goes. */
export const largestListBytes = 4_194_304;
