/** Who may connect to our pods, port by port: the table by which the policies are judged, as texts and on a network that enforces them. */

/** Whoever might try, by where he is. */
export const callers = [
  'gateway',
  'operator',
  'ingress',
  'gateway of another site',
  'pod beside the gateway',
  'pod beside the operator',
  /** Named like ours, elsewhere. */
  'false ingress',
  'false operator',
  'prometheus',
  'hospital',
  'hospital over IPv6',
  'internet',
] as const;

export type Caller = (typeof callers)[number];
export type Called = 'gateway' | 'operator' | 'ingress';

/** By port whom each lets in; nobody else. A port that nobody listens on stands for all the others. */
export const letsIn: Readonly<Record<Called, Readonly<Record<number, readonly Caller[]>>>> = {
  gateway: {
    2575: ['hospital', 'hospital over IPv6'],
    11112: ['hospital', 'hospital over IPv6'],
    8443: ['ingress'],
    8444: ['ingress'],
    8080: ['operator', 'prometheus'],
    1: [],
  },
  operator: { 18000: ['ingress'], 9464: ['prometheus'], 1: [] },
  ingress: {
    // whoever may leave where he is
    8443: callers.filter((name) => !['gateway', 'gateway of another site', 'operator', 'ingress'].includes(name)),
    19001: ['prometheus'],
    // the kubelet's, which policies don't keep from the pods of its node
    19002: [],
    1: [],
  },
};
