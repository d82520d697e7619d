/** What the operator tells of: each event with its fields. What becomes of it stands in the catalogue, and nowhere else. */
import type { FileFault } from '../resources/directory/accept.ts';

/** Resource an event is about. */
interface About {
  readonly kind: 'TrustSpace' | 'DrimboxSite' | 'PacsLink';
  /** `NAMESPACE/NAME`, or `NAME` of a TrustSpace. */
  readonly key: string;
}

/** Words of a condition. */
interface Why {
  readonly reason: string;
  readonly message: string;
}

/** A connection that never became a session. */
export interface RefusedConnection {
  /** RFC 3339. */
  readonly at: string;
  readonly peer: string;
  /** SNI; '' when none was sent. */
  readonly serverName: string;
  /** In Envoy's words. */
  readonly reason: string;
}

export type OperatorEvent =
  | ({
      readonly name: 'ConditionChanged';
      readonly type: string;
      readonly status: string;
      readonly former: string;
    } & About &
      Why)
  | {
      readonly name: 'WhitelistAccepted';
      readonly trustSpace: string;
      readonly generatedAt: string;
      readonly domains: number;
    }
  | ({ readonly name: 'WhitelistRefused'; readonly trustSpace: string } & Why)
  | ({ readonly name: 'WhitelistUnreachable'; readonly trustSpace: string } & Why)
  | { readonly name: 'CrlRefreshed'; readonly trustSpace: string; readonly nextUpdate: string }
  | ({ readonly name: 'CrlRefused'; readonly trustSpace: string } & Why)
  /** `reason` is ExpiresIn30Days, ExpiresIn14Days, ExpiresIn7Days, ExpiresIn1Day or Expired. */
  | ({ readonly name: 'CertificateExpiring' } & About & Why)
  | { readonly name: 'LinkProgrammed'; readonly link: string }
  /** `message` holds Envoy's own words. */
  | ({ readonly name: 'LinkRejected'; readonly link: string } & Why)
  | {
      readonly name: 'ProxyRefused';
      readonly type: string;
      readonly names: readonly string[];
      readonly message: string;
    }
  | { readonly name: 'ProxyNews'; readonly what: string; readonly details: Readonly<Record<string, unknown>> }
  | ({ readonly name: 'HandshakeRefused'; readonly link: string; readonly code: 'E1101' } & RefusedConnection)
  | ({ readonly name: 'ConnectionRefused'; readonly link?: string } & RefusedConnection)
  | { readonly name: 'ProcessStarted'; readonly process: string; readonly pid?: number }
  | { readonly name: 'ProcessEnded'; readonly process: string; readonly what: string; readonly delayMs: number }
  | { readonly name: 'ProcessStopped'; readonly process: string; readonly what: string }
  | { readonly name: 'PlanApplied'; readonly sites: number; readonly fqdns: number }
  | { readonly name: 'RoundEnded'; readonly result: 'applied' | 'unchanged'; readonly seconds: number }
  | { readonly name: 'RoundFailed'; readonly error: string; readonly detail: string; readonly seconds: number }
  | ({ readonly name: 'FileRefused' } & FileFault);

export type OperatorEventName = OperatorEvent['name'];

/** Of one name. */
export type EventOf<N extends OperatorEventName> = Extract<OperatorEvent, { readonly name: N }>;
