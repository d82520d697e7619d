/** UIDs we make: `2.25.<uuid>` (PS3.5 §B.2), or the same number under the site's own root when it fits. */
import { randomUUID } from 'node:crypto';
import { type Uid, parseUid } from '../domain.ts';

/** Digits of a UUID as a number: at most 39. */
const UUID_DIGITS = 39;

/**
 * @param root OID under which the site makes its UIDs; absent: 2.25.
 * @param uuid source of randomness, given by tests.
 * @throws RangeError when the root leaves no room: 24 characters at most.
 */
export function uidMaker(root?: string, uuid: () => string = randomUUID): () => Uid {
  const prefix = root ?? '2.25';
  if (prefix.length + 1 + UUID_DIGITS > 64 || parseUid(prefix) === undefined)
    throw new RangeError(`uidRoot "${prefix}": a UID root of at most 24 characters is needed (64 with its number)`);
  return () => {
    const uid = parseUid(`${prefix}.${BigInt(`0x${uuid().replaceAll('-', '')}`)}`);
    if (uid === undefined) throw new RangeError('a UUID makes a UID of at most 64 characters');
    return uid;
  };
}
