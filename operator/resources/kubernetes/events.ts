/** Events of the API (events.k8s.io/v1) about our objects, few and aggregated. */
import type { KubeClient } from './client.ts';
import type { KubeObject } from './resource-kind.ts';

export interface EventNote {
  readonly regarding: KubeObject;
  readonly related?: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, machine-readable: why. */
  readonly reason: string;
  /** CamelCase: what was done or tried. */
  readonly action: string;
  /** For people; cut at 1 kB as the API demands. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Pod name: `reportingInstance`. */
  readonly instance: string;
  /** Of events about cluster-scoped objects; `default` unless told. */
  readonly namespace?: string;
  readonly onError?: (error: unknown) => void;
  readonly onRecorded?: (outcome: 'created' | 'counted' | 'dropped' | 'failed') => void;
  readonly now?: () => Date;
}

export interface EventRecorder {
  /** Returns at once and never throws: what cannot be written is told to onError and lost. */
  record(note: EventNote): void;
  /** What is under way, ended or not. */
  settled(): Promise<void>;
  /** Writes the series still open, then stops. */
  stop(): Promise<void>;
}

export declare function createEventRecorder(options: EventRecorderOptions): EventRecorder;
