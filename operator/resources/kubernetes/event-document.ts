/** An event as the API wants it (events.k8s.io/v1, validation in pkg/apis/core/validation/events.go). */
import { microTime } from './micro-time.ts';
import { Event, apiVersionOf, type KubeObject } from './resource-kind.ts';

/** Bytes of a note, and characters of a reason or action, that the API server accepts. */
const noteBytes = 1024;
const nameLength = 128;

export interface EventSubject {
  readonly regarding: KubeObject;
  readonly related?: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** Events live beside their object; those about cluster-scoped objects in `default`, as the API server demands. */
export function eventNamespace(regarding: KubeObject): string {
  return regarding.metadata.namespace ?? 'default';
}

/**
 * @param suffix makes the name unique among the events of the object
 * @param at when it happened
 */
export function eventDocument(subject: EventSubject, instance: string, suffix: string, at: Date): KubeObject {
  const { regarding, related, type, reason, action, note } = subject;
  return {
    apiVersion: apiVersionOf(Event),
    kind: Event.kind,
    metadata: { name: eventName(regarding, suffix), namespace: eventNamespace(regarding) },
    eventTime: microTime(at),
    type,
    reason: reason.slice(0, nameLength),
    action: action.slice(0, nameLength),
    note: cut(note),
    regarding: reference(regarding),
    ...(related === undefined ? {} : { related: reference(related) }),
    reportingController: 'drimbox.dev/operator',
    reportingInstance: instance.slice(0, nameLength),
  } as KubeObject;
}

/** Names end at 253 characters (DNS subdomain). */
function eventName(regarding: KubeObject, suffix: string): string {
  return `${regarding.metadata.name.slice(0, 253 - suffix.length - 1).replace(/[-.]+$/, '')}.${suffix}`;
}

function reference({ apiVersion, kind, metadata }: KubeObject): Readonly<Record<string, string>> {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** Whole characters only: half of one would not be UTF-8. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= noteBytes) return note;
  return `${new TextDecoder().decode(bytes.subarray(0, noteBytes - 3), { stream: true })}…`;
}
