/** What a gateway says of itself on its admin listener, `GET /status` (architecture §4.1: the same words as conditions). */

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** metav1.Condition without observedGeneration: the operator adds it. Times are RFC 3339. */
export interface GatewayCondition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

export interface GatewayPacsStatus {
  readonly name: string;
  readonly conditions: readonly GatewayCondition[];
  /** RFC 3339 of the last successful C-ECHO. */
  readonly lastEchoTime?: string;
}

export interface GatewayStatus {
  readonly apiVersion: 'gateway.drimbox.dev/v1alpha1';
  /** Revision of the config in force. */
  readonly revision: string;
  /** A newer config that was refused: path of the fault and rule. */
  readonly refusedConfig?: { readonly revision: string; readonly path: string; readonly message: string };
  readonly ready: boolean;
  readonly conditions: readonly GatewayCondition[];
  readonly pacs: readonly GatewayPacsStatus[];
  /** Jobs by state: received, waiting, published, failed. */
  readonly publications: Readonly<Record<string, number>>;
  /** Addresses actually bound (ports 0 resolved). */
  readonly listening: Readonly<
    Record<'mllp' | 'dimse' | 'wado' | 'viewer' | 'admin', { readonly host: string; readonly port: number }>
  >;
}
