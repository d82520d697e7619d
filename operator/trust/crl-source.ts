/** Where CRLs are had, and how often: what certificates name (RFC 5280 §4.2.1.13), and half the life of the list. Pure. */
import { readCrls } from '../../common/pki/certificates.ts';
import * as x509 from '../../common/pki/x509.ts';

/**
 * The http URLs of CRLs that these certificates name, each once. Others are left out: https and ldap would need what they serve to
 * check, or another client.
 * @param pems PEM of one certificate or more each; what can't be read names nothing, and is told elsewhere
 */
export function namedCrls(pems: readonly string[]): readonly string[] {
  const urls = pems.flatMap(certificates).flatMap((certificate) => {
    const points = certificate.getExtension(x509.CRLDistributionPointsExtension)?.distributionPoints ?? [];
    return points.flatMap((point) =>
      (point.distributionPoint?.fullName ?? []).flatMap((name) => name.uniformResourceIdentifier ?? []),
    );
  });
  return [...new Set(urls)].filter((url) => /^http:\/\/[!-~]+$/i.test(url));
}

function certificates(pem: string): x509.X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new x509.X509Certificate(block)];
    } catch {
      return []; // material.ts refuses it with the reason
    }
  });
}

/** A list with an absurd life must not have its source asked without end. */
const leastMs = 60_000;

/** Half of the shortest time between thisUpdate and nextUpdate, ms; undefined when nothing there can be read or none ends. */
export function halfLifeMs(bytes: Uint8Array): number | undefined {
  try {
    const lives = readCrls(bytes).flatMap(({ thisUpdate, nextUpdate }) =>
      nextUpdate === undefined ? [] : [nextUpdate.getTime() - thisUpdate.getTime()],
    );
    return lives.length === 0 ? undefined : Math.max(leastMs, Math.min(...lives) / 2);
  } catch {
    return undefined; // material.ts refuses it with the reason
  }
}
