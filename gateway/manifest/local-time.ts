/** Between instants, the site's local time (KOS) and HL7 TS (CDA). No clock is read here. */

export interface LocalTime {
  /** DA, yyyyMMdd. */
  readonly date: string;
  /** TM, HHmmss. */
  readonly time: string;
  /** (0008,0201), +HHMM. */
  readonly offset: string;
}

/** @param timeZone IANA name, e.g. Europe/Paris. @throws RangeError when it is unknown. */
export function localTime(instant: Date, timeZone: string): LocalTime {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? '';
  const offset = part('timeZoneName').replace('GMT', '').replace(':', '');
  return {
    date: `${part('year')}${part('month')}${part('day')}`,
    time: `${part('hour')}${part('minute')}${part('second')}`,
    offset: offset === '' ? '+0000' : offset,
  };
}

const TS = /^(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:\.\d+)?([+-]\d{4})?$/;

/**
 * HL7 TS → UTC yyyyMMddHHmmss; without offset it is the site's local time (ci-sis §16 row 19).
 * A time of day that is not given counts as 0.
 * @returns undefined when it is no HL7 timestamp of at least a day.
 */
export function timestampToUtc(timestamp: string, timeZone: string): string | undefined {
  const match = TS.exec(timestamp.trim());
  if (match === null || match[3] === undefined) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const digits = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  const offset = match[7] ?? offsetOf(digits, timeZone);
  return utcTimestamp(new Date(digits - minutesOf(offset) * 60_000));
}

/** UTC yyyyMMddHHmmss (ebXML slots, ci-sis §5.2). */
export function utcTimestamp(instant: Date): string {
  return instant.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
}

/** Offset of a wall-clock time: guessed as if it were UTC, then corrected once, which settles all but the skipped hour. */
function offsetOf(wallClock: number, timeZone: string): string {
  const guess = localTime(new Date(wallClock), timeZone).offset;
  return localTime(new Date(wallClock - minutesOf(guess) * 60_000), timeZone).offset;
}

function minutesOf(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3, 5));
  return offset.startsWith('-') ? -minutes : minutes;
}
