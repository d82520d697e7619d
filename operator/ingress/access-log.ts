/** Connections that never became a session, as Envoy tells them: material of E1101 (DB.SO.154; ci-sis §12: mutual TLS impossible). */

import type { FailureLine } from './resources/connection-log.ts';

export interface ConnectionFailure {
  /** RFC 3339. */
  readonly at: string;
  /** Address of the peer, as connected to us. */
  readonly peer: string;
  /** SNI; '' when it sent none. */
  readonly serverName: string;
  /** In Envoy's words, e.g. `TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED`. */
  readonly reason: string;
}

/** `StreamAccessLogsMessage` as decoded. */
interface LogMessage {
  readonly tcp_logs?: { readonly log_entry?: readonly LogEntry[] };
}

interface LogEntry {
  readonly common_properties?: {
    readonly start_time?: { readonly seconds?: number; readonly nanos?: number };
    readonly downstream_remote_address?: { readonly socket_address?: { readonly address?: string } };
    readonly tls_properties?: { readonly tls_sni_hostname?: string };
    readonly downstream_transport_failure_reason?: string;
    readonly connection_termination_details?: string;
    readonly response_flags?: {
      readonly no_route_found?: boolean;
      readonly no_cluster_found?: boolean;
      readonly upstream_connection_failure?: boolean;
    };
  };
}

/** No chain (no TLS), no cluster of the name, or nobody behind it: it comes, or goes. */
const unknown: ReadonlySet<string> = new Set(['NR', 'NC', 'UF']);

function isUnknown(flags: NonNullable<NonNullable<LogEntry['common_properties']>['response_flags']>): boolean {
  return [flags.no_route_found, flags.no_cluster_found, flags.upstream_connection_failure].includes(true);
}

const noSuchName = 'no FQDN of this name is served here';

/** @throws SyntaxError when it is not a line of the log. @returns undefined when it names no failure */
export function readFailureLine(text: string): ConnectionFailure | undefined {
  const {
    at = '',
    peer,
    name,
    handshake,
    end,
    flags,
  } = JSON.parse(text) as Partial<Record<keyof FailureLine, string | null>>;
  const said = (value: string | null | undefined): string => (value === '-' ? '' : (value ?? ''));
  const reason = [
    said(handshake),
    said(end),
    said(flags)
      .split(',')
      .some((flag) => unknown.has(flag))
      ? noSuchName
      : '',
  ].find((words) => words !== '');
  if (reason === undefined) return undefined;
  return { at: at ?? '', peer: said(peer), serverName: said(name), reason };
}

export function readFailures(message: LogMessage): readonly ConnectionFailure[] {
  return (message.tcp_logs?.log_entry ?? []).flatMap(({ common_properties: entry }) => {
    if (entry === undefined) return [];
    const reason = [
      entry.downstream_transport_failure_reason,
      entry.connection_termination_details,
      isUnknown(entry.response_flags ?? {}) ? noSuchName : undefined,
    ].find((words) => words !== undefined && words !== '');
    if (reason === undefined) return [];
    const { seconds = 0, nanos = 0 } = entry.start_time ?? {};
    return [
      {
        at: new Date(seconds * 1000 + Math.floor(nanos / 1e6)).toISOString(),
        peer: entry.downstream_remote_address?.socket_address?.address ?? '',
        serverName: entry.tls_properties?.tls_sni_hostname ?? '',
        reason,
      },
    ];
  });
}
