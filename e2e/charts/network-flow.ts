/**
 * Who may connect to whom under a set of NetworkPolicies, read out of the API's own words (networking.k8s.io/v1) and nothing of ours:
 * a pod that no policy of a direction selects is open in it; one that is selected takes what any rule of any of them lets through; an
 * absent or empty list of peers or ports is all of them.
 */
import { BlockList, isIPv6 } from 'node:net';

export interface End {
  readonly address: string;
  /** Absent for what is outside of the cluster. */
  readonly pod?: {
    readonly namespace: string;
    readonly namespaceLabels?: Labels;
    readonly labels: Labels;
    /** Number by name. */
    readonly ports?: Readonly<Record<string, number>>;
  };
}

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Port {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly Port[];
}

export interface Policy {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

export interface Flow {
  readonly from: End;
  readonly to: End;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

/** Both ends must agree. */
export function isAllowed(policies: readonly Policy[], flow: Flow): boolean {
  return agrees(policies, flow, 'Egress') && agrees(policies, flow, 'Ingress');
}

function agrees(policies: readonly Policy[], flow: Flow, direction: 'Ingress' | 'Egress'): boolean {
  const [own, other] = direction === 'Egress' ? [flow.from, flow.to] : [flow.to, flow.from];
  const { pod } = own;
  if (pod === undefined) return true;
  const selecting = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace &&
      selects(spec.podSelector, pod.labels) &&
      directionsOf(spec).includes(direction),
  );
  if (selecting.length === 0) return true;
  return selecting.some(({ metadata, spec }) => {
    const rules = (direction === 'Egress' ? spec.egress : spec.ingress) ?? [];
    return rules.some((rule) => {
      const peers = (direction === 'Egress' ? rule.to : rule.from) ?? [];
      const isPeer = peers.length === 0 || peers.some((peer) => matches(peer, other, metadata.namespace));
      return isPeer && isPort(rule.ports ?? [], flow);
    });
  });
}

/** Ingress always unless told, Egress where there are rules of it. */
function directionsOf({ policyTypes, egress }: Policy['spec']): readonly string[] {
  return policyTypes ?? (egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']);
}

function matches({ podSelector, namespaceSelector, ipBlock }: Peer, { address, pod }: End, namespace: string): boolean {
  if (ipBlock !== undefined)
    return isWithin(address, ipBlock.cidr) && !(ipBlock.except ?? []).some((cidr) => isWithin(address, cidr));
  if (pod === undefined) return false;
  // a pod selector by itself means pods of the policy's own namespace
  const inNamespace =
    namespaceSelector === undefined
      ? pod.namespace === namespace
      : selects(namespaceSelector, { 'kubernetes.io/metadata.name': pod.namespace, ...pod.namespaceLabels });
  return inNamespace && selects(podSelector ?? {}, pod.labels);
}

function isWithin(address: string, cidr: string): boolean {
  const [network = '', bits = ''] = cidr.split('/');
  if (isIPv6(network) !== isIPv6(address)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4');
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function isPort(ports: readonly Port[], { to, port, protocol = 'TCP' }: Flow): boolean {
  return (
    ports.length === 0 ||
    ports.some((one) => {
      if ((one.protocol ?? 'TCP') !== protocol) return false;
      if (one.port === undefined) return true;
      const first = typeof one.port === 'number' ? one.port : to.pod?.ports?.[one.port];
      return first !== undefined && port >= first && port <= (one.endPort ?? first);
    })
  );
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      throw new Error(`a selector has the operator ${operator}`);
    })
  );
}
