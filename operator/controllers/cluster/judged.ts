/** Certificates as judged, remembered as long as what they were judged by is the same: a thousand sites have four thousand. */
import type { Observations, IdentityMaterial, Resolved, TrustObservation } from '../../plan/observations.ts';
import { sameItems } from '../../plan/remembered.ts';
import { siteOf } from '../../plan/acceptance.ts';
import { type Inventory, type KeyedData, keyOf } from '../../resources/inventory.ts';
import { oneText } from '../../resources/sharing.ts';
import { readIdentity } from '../../trust/material.ts';
import type { ServerKind } from '../../trust/server-certificate.ts';
import type { CertificateStore } from '../../trust/certificate-store.ts';
import { type IdentityJudge, serverIdentity, serverKey, serverKinds } from '../../trust/server-identities.ts';
import { breathe } from '../../turns.ts';

type Identity = Resolved<IdentityMaterial>;

/** A certificate ends, and a CRL grows: judged again after this even when nothing changed, each at its own time. */
const againMs = 3_600_000;

interface Judged {
  readonly inputs: readonly unknown[];
  readonly until: number;
  readonly identity: Identity;
}

interface Read {
  readonly data: KeyedData | undefined;
  readonly identity: Identity;
}

export interface JudgedIdentities {
  /** Secrets as read, by `NAMESPACE/NAME`; the same result for the same data. */
  identities(names: Iterable<string>, secrets: Inventory['secrets']): Promise<ReadonlyMap<string, Identity>>;
  /** {@link Observations.servers}. */
  servers(
    inventory: Inventory,
    trusts: ReadonlyMap<string, TrustObservation>,
    now: Date,
  ): Promise<NonNullable<Observations['servers']>>;
}

export function judgedIdentities(
  judge: IdentityJudge,
  store: CertificateStore,
  random: () => number,
): JudgedIdentities {
  let reads: ReadonlyMap<string, Read> = new Map();
  const judgements = new Map<string, Judged>();

  const read = (name: string, data: KeyedData | undefined): Read => {
    const known = reads.get(name);
    return known !== undefined && known.data === data ? known : { data, identity: readIdentity(data) };
  };
  return {
    async identities(names, secrets) {
      const now = new Map<string, Read>();
      const found = new Map<string, Identity>();
      for (const name of names) {
        const one = read(name, secrets.get(name));
        now.set(name, one);
        found.set(name, one.identity);
        await breathe();
      }
      reads = now;
      return found;
    },
    async servers(inventory, trusts, now) {
      const found = new Map<string, Identity>();
      const trustOf = new Map(inventory.sites.map((site) => [keyOf(site), trusts.get(site.spec.trustSpace)]));
      const judgeOne = async (link: Inventory['links'][number], kind: ServerKind): Promise<Identity> => {
        const key = serverKey(keyOf(link), kind);
        const { fqdn, certificate } = link.spec[kind];
        const trust = trustOf.get(siteOf(link));
        const data = inventory.secrets.get(`${link.metadata.namespace}/${certificate.secretName}`);
        const waits = store.pending(keyOf(link), kind)?.keyPem;
        const accepted = store.accepted(keyOf(link), kind)?.keyPem;
        // A browser's anchors are not known here: only db is judged by those of the TrustSpace.
        const judgedBy = kind === 'db' ? [trust?.anchors, trust?.crls] : [];
        const inputs = [fqdn, data, waits, accepted, ...judgedBy];
        const known = judgements.get(key);
        if (known !== undefined && known.until > now.getTime() && sameItems(known.inputs, inputs))
          return known.identity;
        const identity = await serverIdentity(link, kind, { inventory, trust, store, judge, at: now });
        const until = now.getTime() + againMs * (0.5 + 0.5 * random());
        // The same certificate judged again is the same object: what was planned from it stays as it is.
        const kept = known !== undefined && JSON.stringify(known.identity) === JSON.stringify(identity);
        judgements.set(oneText(key), { inputs: inputs.slice(), until, identity: kept ? known.identity : identity });
        return kept ? known.identity : identity;
      };
      for (const link of inventory.links)
        for (const kind of serverKinds) {
          found.set(serverKey(keyOf(link), kind), await judgeOne(link, kind));
          await breathe();
        }
      for (const key of judgements.keys()) if (!found.has(key)) judgements.delete(key);
      return found;
    },
  };
}
