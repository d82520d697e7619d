/** From a key of the queue to the writing it stands for. What is not desired any more is done. */
import type { Applier } from '../../resources/kubernetes/apply.ts';
import type { KubeClient } from '../../resources/kubernetes/client.ts';
import { ConfigMap, type KubeObject, Secret } from '../../resources/kubernetes/resource-kind.ts';
import { configMapNames } from '../../infrastructure/kubernetes/config-maps.ts';
import { whitelistName } from '../../infrastructure/kubernetes/names.ts';
import { siteOf } from '../../plan/acceptance.ts';
import { isPaused } from '../../plan/plan.ts';
import { keyOf } from '../../resources/inventory.ts';
import type { ClusterCertificates } from './certificate-secrets.ts';
import type { ClusterDocuments } from './cluster-documents.ts';
import type { Desired } from './wishes.ts';
import type { ClusterSettings } from './settings.ts';
import type { SiteObject, Watches } from './watches.ts';
import type { Written } from './writer.ts';
import { plannedMaps, writeObjects, writeSite, writeStatus } from './writes.ts';

export interface DispatchOptions {
  readonly client: KubeClient;
  readonly applier: Applier;
  readonly settings: ClusterSettings;
  readonly desired: Desired;
  readonly documents: ClusterDocuments;
  readonly certificates: ClusterCertificates;
  readonly watches: Watches;
}

const done: Written = { done: true };

export function dispatcher(options: DispatchOptions): (key: string) => Promise<Written> {
  const { client, applier, settings, desired, documents, certificates, watches } = options;
  /** With uid, that very site. */
  const standing = (name: string, uid?: string): SiteObject | undefined => {
    const there = watches.sites.store.get(name);
    if (there === undefined || there.metadata.deletionTimestamp !== undefined) return undefined;
    return uid === undefined || there.metadata.uid === uid ? there : undefined;
  };
  // Drift and what was put into the queue before come here too: whoever asks, nothing is written of a site that is paused, and nothing
  // of one that is gone while its objects follow it.
  const mayWrite = (name: string, uid?: string): boolean => {
    const there = standing(name, uid);
    return there !== undefined && !isPaused(there);
  };
  /** One of its owners is there: a list is taken away with the last of them, which may be seen before its deletion is. */
  const isRead = (namespace: string, { metadata }: KubeObject): boolean =>
    (metadata.ownerReferences ?? []).some(({ name, uid }) => standing(`${namespace}/${name}`, uid) !== undefined);
  const podsOf = (site: string): readonly KubeObject[] => watches.pods.store.by('site', site);
  const live: Watches['live'] = (kind, key) => watches.live(kind, key);
  const removeMaps = async (namespace: string, names: readonly string[]): Promise<void> => {
    for (const name of names)
      if (watches.live(ConfigMap, `${namespace}/${name}`) !== undefined)
        await applier.remove(ConfigMap, `${namespace}/${name}`);
  };
  /** The first also when the watch does not show it: it may have been written a moment ago. */
  const removeUnread = async (namespace: string, first: string): Promise<void> => {
    await applier.remove(ConfigMap, `${namespace}/${first}`);
    await removeMaps(namespace, configMapNames(first).slice(1));
  };
  const writers: Readonly<Record<string, (name: string) => Promise<Written>>> = {
    async site(name) {
      const site = desired.sites.get(name);
      if (site === undefined || !mayWrite(name, site.site.metadata.uid)) return done;
      const written = await writeSite(site, { client, applier, settings: settings.workload, podsOf, live });
      // Said in the site's status by the next round: whoever made the mistake does not read the operator's log.
      if (written.done) desired.unwritten.delete(name);
      else desired.unwritten.set(name, written.message);
      return written;
    },
    async status(name) {
      const status = desired.statuses.get(name);
      return status === undefined ? done : await writeStatus(applier, status);
    },
    async whitelist(name) {
      const maps = desired.whitelists.get(name);
      const [namespace = '', trustSpace = ''] = name.split(' ');
      if (maps === undefined) {
        if (desired.unread.has(name)) await removeUnread(namespace, whitelistName(trustSpace));
        desired.unread.delete(name);
        return done;
      }
      // None: the list is withdrawn.
      if (maps.length > 0 && !maps.some((map) => isRead(namespace, map))) return done;
      const written = await writeObjects(applier, plannedMaps(maps));
      const kept = new Set(maps.map(({ metadata }) => metadata.name));
      await removeMaps(
        namespace,
        configMapNames(whitelistName(trustSpace)).filter((one) => !kept.has(one)),
      );
      return written;
    },
    async document(name) {
      const document = documents.pending().find((one) => one.name === name);
      if (document === undefined) return done;
      const written = await writeObjects(applier, plannedMaps(document.apply));
      if (!written.done) return written;
      await removeMaps(settings.namespace, document.remove);
      documents.settle(document);
      return done;
    },
    async certificate(name) {
      const link = watches.links.store.list().find((one) => keyOf(one) === name);
      if (link === undefined || !mayWrite(siteOf(link))) return done;
      const objects = certificates.objectsOf(link);
      return await writeObjects(
        applier,
        objects.map((object) => ({ kind: Secret, object })),
      );
    },
    async own(name) {
      const object = desired.own.get(name);
      return object === undefined ? done : await writeObjects(applier, [{ kind: Secret, object }]);
    },
  };
  return async (key) => {
    const space = key.indexOf(' ');
    const write = writers[key.slice(0, space)];
    if (write === undefined) throw new Error(`nobody writes ${key}`);
    return await write(key.slice(space + 1));
  };
}
