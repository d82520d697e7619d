/**
 * `MicroTime` of the API (meta/v1): RFC 3339 with exactly six fraction digits. The API server refuses three, which is what
 * toISOString writes.
 */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
