/** What the proxy says, as events. Pure. */
import { resourceTypes } from '../ingress/control-plane/snapshot.ts';
import type { IngressHost } from '../plan/ingress-plan.ts';
import type { OperatorEvent, RefusedConnection } from './events.ts';

/** A refusal has type, names and message (control-plane/delta-stream.ts); all else is news. */
export function proxyEvent(what: string, fields: Readonly<Record<string, unknown>>): OperatorEvent {
  const { type, names, message } = fields;
  const known = resourceTypes.find((one) => one === type);
  if (known === undefined || !Array.isArray(names) || typeof message !== 'string')
    return { name: 'ProxyNews', what, details: fields };
  return { name: 'ProxyRefused', type: known, names: names.map(String), message };
}

/**
 * E1101, mutual TLS impossible, is of `db` FQDNs alone; a browser at a viewer, or a scan of names not served here, is not.
 * @param host the FQDN that was asked for, when it is served
 */
export function connectionEvent(failure: RefusedConnection, host: IngressHost | undefined): OperatorEvent {
  const { at, peer, serverName, reason } = failure;
  const refused = { at, peer, serverName, reason };
  if (host?.kind === 'db') return { name: 'HandshakeRefused', code: 'E1101', link: host.link, ...refused };
  return { name: 'ConnectionRefused', ...(host === undefined ? {} : { link: host.link }), ...refused };
}
