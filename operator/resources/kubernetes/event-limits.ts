/** How many events may be written: client-go's spam filter per object, and a limit over all. */

/** client-go: 25 at once, then one per 5 minutes, for each object. */
const perObject = { burst: 25, perSecond: 1 / 300 };
/** A cluster-wide fault concerns every object at once; its events must not drown the API server. */
const overall = { burst: 100, perSecond: 5 };
/** Objects remembered; beyond it the one longest silent is forgotten, as in client-go. */
const most = 4096;

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

export interface EventLimits {
  /** True, and counted, when an event about this object may be written now. */
  allows(object: string): boolean;
}

/** @param nowMs ms; going back only delays the refill */
export function createEventLimits(nowMs: () => number): EventLimits {
  const objects = new Map<string, Bucket>();
  let all: Bucket = { tokens: overall.burst, at: nowMs() };
  const filled = (bucket: Bucket, limit: typeof overall): Bucket => {
    const seconds = Math.max(0, nowMs() - bucket.at) / 1000;
    return { tokens: Math.min(limit.burst, bucket.tokens + seconds * limit.perSecond), at: nowMs() };
  };
  return {
    allows(object) {
      const own = filled(objects.get(object) ?? { tokens: perObject.burst, at: nowMs() }, perObject);
      all = filled(all, overall);
      const allowed = own.tokens >= 1 && all.tokens >= 1;
      if (allowed) all = { ...all, tokens: all.tokens - 1 };
      objects.delete(object);
      objects.set(object, allowed ? { ...own, tokens: own.tokens - 1 } : own);
      for (const oldest of objects.keys()) {
        if (objects.size <= most) break;
        objects.delete(oldest);
      }
      return allowed;
    },
  };
}
