/** For the tests of this room: a stream as a script, what the proxy says and what it is sent. */
import { type Refusal, type StreamState, advance, newStream, receive } from './delta-stream.ts';
import type { DeltaRequest } from './messages.ts';
import { type ResourceType, type Snapshot, resourceTypes } from './snapshot.ts';

/** `{ cluster: { a: '1' } }`: names to versions. */
export function snapshot(content: Partial<Record<ResourceType, Readonly<Record<string, string>>>>): Snapshot {
  const all = resourceTypes.map((type) => [
    type,
    new Map(Object.entries(content[type] ?? {}).map(([name, version]) => [name, { version, bytes: Buffer.of() }])),
  ]);
  return Object.fromEntries(all) as Snapshot;
}

/** One stream, and what it was sent, as `TYPE:NONCE NAME=VERSION -REMOVED`. */
export class Script {
  readonly state: StreamState = newStream();
  now: Snapshot;
  refusal: Refusal | undefined;

  constructor(now: Snapshot) {
    this.now = now;
  }

  says(type: ResourceType, nonce = '', more: Partial<DeltaRequest> = {}): readonly string[] {
    const request = {
      type,
      nonce,
      subscribe: [],
      unsubscribe: [],
      initialVersions: new Map<string, string>(),
      ...more,
    };
    this.refusal = receive(this.state, request, this.now);
    return this.sends();
  }

  becomes(now: Snapshot): readonly string[] {
    this.now = now;
    return this.sends();
  }

  sends(): readonly string[] {
    return advance(this.state, this.now).map(({ type, nonce, resources, removed }) =>
      [
        `${type}:${nonce}`,
        ...[...resources].map(([name, version]) => `${name}=${version}`),
        ...removed.map((name) => `-${name}`),
      ].join(' '),
    );
  }
}
