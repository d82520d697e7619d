/** The internal authority on a cluster: its keys in one Secret of the operator, each gateway's certificate in the memory of its site. */
import { type ApplyObject, secretData } from '../../resources/kubernetes/apply.ts';
import { ownLabels } from '../../infrastructure/kubernetes/names.ts';
import type { InternalIdentities } from '../../plan/observations.ts';
import { oneText } from '../../resources/sharing.ts';
import {
  type InternalState,
  type PemPair,
  emptyInternalState,
  gatewayServerName,
  ingressServerName,
  internalBundle,
  issueLeaf,
  leafHoldsUntil,
  renewInternal,
} from '../../trust/internal-authority.ts';

export const authoritySecret = 'drimbox-internal-authority';
/** What the proxies are given to reach the control plane: mounted by their Deployment. */
export const proxySecret = 'drimbox-ingress-control';

export const internalNames = {
  ingress: ingressServerName,
  /** The control plane's own. */
  control: 'control.drimbox.internal',
  /** A proxy's, towards the control plane. */
  proxy: 'proxy.drimbox.internal',
} as const;

export interface InternalKeeper {
  /**
   * Certificates of all sites, made when they are missing or due.
   * @param remembered what the cluster holds: the authority's Secret, and each site's certificate
   * @param mayMake false: only what is there already; undefined when there is no authority yet
   */
  of(input: InternalInput): Promise<InternalOutcome | undefined>;
}

export interface InternalInput {
  readonly sites: readonly string[];
  readonly authority: string | undefined;
  readonly identityOf: (site: string) => PemPair | undefined;
  readonly mayMake: boolean;
  readonly now: Date;
}

export interface InternalOutcome {
  readonly identities: InternalIdentities;
  readonly state: InternalState;
  /** Pairs of control plane and proxies, under {@link internalNames}. */
  readonly leaf: (name: string) => PemPair;
}

interface Held {
  readonly pair: PemPair;
  /** Known to hold until then, by these authorities. */
  readonly until: number;
  readonly authorities: InternalState['authorities'];
  readonly entry: { readonly identity: { readonly name: string } & PemPair; readonly serverName: string };
}

/** Checked again with each new authority; made a few per round, so that a thousand new sites don't hold up the rest. */
const madePerRound = 100;

export function internalKeeper(): InternalKeeper {
  const held = new Map<string, Held>();
  let state: InternalState = emptyInternalState;
  let read: string | undefined;
  /** The same map as long as nothing in it changed: a plan is remembered by its inputs. */
  let gateways: ReadonlyMap<string, Held['entry']> = new Map();

  const take = (site: string, { certificatePem, keyPem }: PemPair): Held => {
    const serverName = gatewayServerName(site);
    // What was made here comes back from the cluster.
    const pair = { certificatePem: oneText(certificatePem), keyPem: oneText(keyPem) };
    const { authorities } = state;
    const entry = { serverName, identity: { name: `internal/${serverName}`, ...pair } };
    const known = { pair, until: leafHoldsUntil(pair, authorities), authorities, entry };
    held.set(site, known);
    return known;
  };
  const good = (known: Held | undefined, now: Date): Held | undefined =>
    known?.authorities === state.authorities && known.until > now.getTime() ? known : undefined;
  const find = (site: string, input: InternalInput): Held | undefined => {
    const known = held.get(site);
    if (good(known, input.now) !== undefined) return known;
    const pair = input.identityOf(site) ?? known?.pair;
    const taken = pair === undefined ? undefined : take(site, pair);
    return good(taken, input.now);
  };

  return {
    async of(input) {
      if (input.authority !== undefined && input.authority !== read) {
        read = input.authority;
        // Our own words come back: everything judged by them stays judged.
        if (read !== JSON.stringify(state)) state = JSON.parse(read) as InternalState;
      }
      if (input.mayMake) state = await renewInternal(state, Object.values(internalNames), input.now);
      if (state.authorities.length === 0) return undefined;
      const found = new Map<string, Held['entry']>();
      let made = 0;
      for (const site of input.sites) {
        let one = find(site, input);
        if (one === undefined && input.mayMake && made < madePerRound) {
          made += 1;
          one = take(site, await issueLeaf(state.authorities, gatewayServerName(site), input.now));
        }
        if (one !== undefined) found.set(site, one.entry);
      }
      for (const site of held.keys()) if (!found.has(site)) held.delete(site);
      if (!sameEntries(found, gateways)) gateways = found;
      const leaf = (name: string): PemPair => {
        const pair = state.leaves[name];
        if (pair === undefined) throw new Error(`no internal certificate was made for ${name}`);
        return pair;
      };
      const ingress = { name: `internal/${internalNames.ingress}`, ...leaf(internalNames.ingress) };
      return {
        state,
        leaf,
        identities: {
          caPem: internalBundle(state),
          ingress: { identity: ingress, serverName: internalNames.ingress },
          gateways,
        },
      };
    },
  };
}

function sameEntries<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

export function authorityObject(namespace: string, state: InternalState): ApplyObject {
  return secretOf(namespace, authoritySecret, 'Opaque', { 'state.json': JSON.stringify(state) });
}

/** Read by the proxies as files. */
export function proxyObject(namespace: string, { identities, leaf }: InternalOutcome): ApplyObject {
  const { certificatePem, keyPem } = leaf(internalNames.proxy);
  return secretOf(namespace, proxySecret, 'kubernetes.io/tls', {
    'tls.crt': certificatePem,
    'tls.key': keyPem,
    'ca.crt': identities.caPem,
  });
}

function secretOf(namespace: string, name: string, type: string, texts: Readonly<Record<string, string>>): ApplyObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, labels: ownLabels },
    type,
    data: secretData(texts),
  };
}
