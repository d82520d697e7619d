/** What a configuration stands for at run time and can be exchanged while the gateway serves: PACS links, the DMP, introspection. */
import type { GatewayConfig, PacsConfig } from '../common/contract/gateway-config.ts';
import { canFollow, createPacs, type FollowingPacs } from './dicom/create-pacs.ts';
import type { Pacs } from './dicom/pacs.ts';
import type { StoreReceiver } from './dicom/store/store-receiver.ts';
import { createDmpClient } from './dmp/client.ts';
import type { DmpClient } from './dmp/submission.ts';
import { type ClosableIntrospection, createIntrospection } from './identity/introspection.ts';
import type { TokenIntrospection } from './identity/peer.ts';
import type { Journal } from './journal/events.ts';
import { ownShare } from './place.ts';

export interface PacsLink {
  readonly client: Pacs;
  readonly config: PacsConfig;
}

interface OwnLink extends PacsLink {
  readonly client: FollowingPacs;
}

export interface Parts {
  /** With this gateway's share of each PACS. */
  readonly config: () => GatewayConfig;
  readonly pacs: () => readonly PacsLink[];
  readonly pacsNamed: (name: string) => PacsLink | undefined;
  readonly pacsByFqdn: (host: string) => PacsLink | undefined;
  readonly dmp: DmpClient;
  readonly introspection: TokenIntrospection;
  /**
   * Exchanges what changed and only that; what was under way on an old part ends on it. Other AE titles of our own, or another
   * number of them at work, are another link: series under way on the former one are cut.
   */
  exchange(config: GatewayConfig): Promise<void>;
  close(): Promise<void>;
}

export interface PartsDependencies {
  readonly receiver: StoreReceiver;
  readonly journal: Journal;
  readonly now: () => Date;
  /** POD_INDEX of the environment: which of the site's gateways this is. */
  readonly podIndex: string | undefined;
}

/** @throws Error when a file, a name or a number of the configuration can't be used. */
export function createParts(whole: GatewayConfig, deps: PartsDependencies): Parts {
  const config = ownShare(whole, deps.podIndex);
  const links = new Map<string, OwnLink>();
  const state = { config, dmp: newDmp(config), introspection: newIntrospection(config) };
  for (const pacs of config.pacs) links.set(pacs.name, newLink(pacs));

  function newLink(pacs: PacsConfig): OwnLink {
    return {
      config: pacs,
      client: createPacs(pacs, { receiver: deps.receiver, journal: deps.journal, clock: () => performance.now() }),
    };
  }
  function newDmp({ dmp }: GatewayConfig): DmpClient {
    return createDmpClient(dmp, { now: deps.now });
  }
  function newIntrospection(next: GatewayConfig): ClosableIntrospection {
    return createIntrospection(next.introspection, { now: deps.now });
  }

  const exchangeLinks = async (next: GatewayConfig): Promise<void> => {
    for (const pacs of next.pacs) {
      const link = links.get(pacs.name);
      if (link === undefined || same(link.config, pacs) || !canFollow(link.config, pacs)) continue;
      link.client.follow(pacs);
      links.set(pacs.name, { client: link.client, config: pacs });
    }
    const gone = [...links.values()].filter(({ config: old }) => !next.pacs.some((pacs) => same(pacs, old)));
    for (const link of gone) {
      links.delete(link.config.name);
      await link.client.close();
    }
    for (const pacs of next.pacs) if (!links.has(pacs.name)) links.set(pacs.name, newLink(pacs));
  };

  return {
    config: () => state.config,
    pacs: () => [...links.values()],
    pacsNamed: (name) => links.get(name),
    pacsByFqdn: (host) => [...links.values()].find((link) => link.config.wadoFqdn.toLowerCase() === host.toLowerCase()),
    // the saga and the retrieve side hold these for the life of the process: each call reaches the part in force
    dmp: {
      publish: (submission, signal) => state.dmp.publish(submission, signal),
      remove: (removal, signal) => state.dmp.remove(removal, signal),
      findEntryUuid: (uid, user, patient, signal) => state.dmp.findEntryUuid(uid, user, patient, signal),
      close: () => state.dmp.close(),
    },
    introspection: { introspect: (token, signal) => state.introspection.introspect(token, signal) },
    async exchange(wholeNext) {
      const next = ownShare(wholeNext, deps.podIndex);
      await exchangeLinks(next);
      const before = { ...state };
      if (!same(before.config.dmp, next.dmp)) state.dmp = newDmp(next);
      if (!same(before.config.introspection, next.introspection)) state.introspection = newIntrospection(next);
      state.config = next;
      if (state.dmp !== before.dmp) await before.dmp.close();
      if (state.introspection !== before.introspection) await before.introspection.close();
    },
    async close() {
      await Promise.all([...links.values()].map(({ client }) => client.close()));
      await state.dmp.close();
      await state.introspection.close();
    },
  };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
