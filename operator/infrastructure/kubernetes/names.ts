/** What the operator's objects are called and labelled, and the ports its pods have. */
import { createHash } from 'node:crypto';

export const managedBy = 'drimbox-operator';
export const managerLabel = 'app.kubernetes.io/managed-by';
/** On every object of a site: its name. */
export const siteLabel = 'drimbox.dev/site';
/** On pods of a StatefulSet, by the cluster (stable since Kubernetes 1.32): their number from 0. */
export const podIndexLabel = 'apps.kubernetes.io/pod-index';
/** On pods, volumes and services: the same for all of one site. */
export const nameLabel = 'app.kubernetes.io/name';
/** Their `nameLabel`. */
export const gatewayName = 'drimbox-gateway';

/** Pods have the same ports everywhere; a Service shows those that the site says. */
export const podPorts = { mllp: 2575, dimse: 11_112, wado: 8443, viewer: 8444, admin: 8080 } as const;

export const paths = {
  /** config.json and the files it names. */
  site: '/etc/drimbox/site',
  trust: '/etc/drimbox/trust',
  data: '/var/lib/drimbox',
} as const;

/** A StatefulSet's pods carry its name and a hash in a label of at most 63 characters. */
const maxName = 50;

/** Name of a site's StatefulSet and of most of its objects. */
export function workloadName(siteName: string): string {
  return bounded(`drimbox-${siteName}`, maxName);
}

export function internalServiceName(siteName: string): string {
  return `${workloadName(siteName)}-internal`;
}

/** To the one gateway that has that index: the PACS sends there what its AE titles asked for. */
export function dimseServiceName(siteName: string, index: number): string {
  return `${workloadName(siteName)}-dimse-${index}`;
}

/** As their StatefulSet calls them, in order of their index. */
export function podNames(siteName: string, replicas: number): string[] {
  return Array.from({ length: replicas }, (_, index) => `${workloadName(siteName)}-${index}`);
}

/** First of the ConfigMaps that carry the list of a trust space into a namespace. */
export function whitelistName(trustSpace: string): string {
  return bounded(`drimbox-whitelist-${trustSpace}`, 200);
}

function bounded(name: string, length: number): string {
  if (name.length <= length) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, length - 9).replace(/-+$/, '')}-${digest}`;
}

/** On every object that the operator makes. */
export const ownLabels = {
  'app.kubernetes.io/part-of': 'drimbox',
  [managerLabel]: managedBy,
} as const;

/** On every object of a site. */
export function labelsOf(siteName: string): Record<string, string> {
  return { ...ownLabels, ...selectorOf(siteName) };
}

/** The gateway pods of a site: of these labels none ever changes, as no selector of a StatefulSet can. */
export function selectorOf(siteName: string): Readonly<Record<string, string>> {
  return { [nameLabel]: gatewayName, [siteLabel]: siteName };
}
