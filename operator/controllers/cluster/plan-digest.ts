/**
 * By what replicas know that they serve the same: of a plan as a whole, and of each link with all it depends on (its entries, the trust
 * of its callers, the internal hop). What is equal has equal digests on every replica, whichever plans each of them went through.
 */
import { createHash } from 'node:crypto';
import type { ClientTrust, IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import { breathe } from '../../turns.ts';

export interface PlanDigest {
  /** Hexadecimal, 128 bits; empty when nothing is published. */
  readonly plan: string;
  /** PacsLink to {@link linkDigestLength} characters of base64url. */
  readonly links: ReadonlyMap<string, string>;
}

export const nothingPublished: PlanDigest = { plan: '', links: new Map() };

/** 48 bits: that a link's change goes unseen among ten thousand others has a chance of one in 10^10. */
export const linkDigestLength = 8;

/** Entries are the very same objects as long as nothing about them changed: each is read once. */
const entryDigests = new WeakMap<object, string>();

export async function digestOf({ hosts, trusts, internal }: IngressPlan): Promise<PlanDigest> {
  const ofTrust = new Map(trusts.map((trust) => [trust.name, entryDigest(trust)]));
  const hop = [internal.caPem, internal.identity.certificatePem];
  const whole = createHash('sha256');
  const partsOf = new Map<string, string[]>();
  for (const host of hosts) {
    const own = entryDigest(host);
    whole.update(own);
    const parts = partsOf.get(host.link) ?? [];
    parts.push(own, host.kind === 'db' ? (ofTrust.get(host.trust) ?? '') : '');
    partsOf.set(host.link, parts);
    await breathe();
  }
  for (const part of [...ofTrust.values(), ...hop]) whole.update(part);
  const hopDigest = createHash('sha256').update(JSON.stringify(hop)).digest('hex');
  const links = new Map<string, string>();
  for (const [link, parts] of partsOf) {
    const hash = createHash('sha256').update(JSON.stringify([link, hopDigest, ...parts]));
    links.set(link, hash.digest('base64url').slice(0, linkDigestLength));
    await breathe();
  }
  return { plan: whole.digest('hex').slice(0, 32), links };
}

function entryDigest(entry: IngressHost | ClientTrust): string {
  const known = entryDigests.get(entry) ?? createHash('sha256').update(JSON.stringify(entry)).digest('hex');
  entryDigests.set(entry, known);
  return known;
}
