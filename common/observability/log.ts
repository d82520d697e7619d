/** Structured logs: one JSON object a line on standard output, levels by name, times in RFC 3339, nothing personal by accident. */
import pino from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
  setLevel(level: LogLevel): void;
}

/** Fields that never reach a log, wherever they stand. */
const redacted = ['token', 'authorization', 'patient', '*.token', '*.authorization', '*.patient'];

/** @param destination file descriptor; 1 unless told. Writes are synchronous: a line before SIGKILL is a line on disk. */
export function createLog(level: LogLevel, fields: Readonly<Record<string, unknown>> = {}, destination = 1): Log {
  const logger = pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted, remove: true },
    },
    pino.destination({ dest: destination, sync: true }),
  );
  return wrap(logger);
}

function wrap(logger: pino.Logger): Log {
  return {
    write: (level, message, fields = {}) => logger[level](fields, message),
    child: (fields) => wrap(logger.child(fields)),
    setLevel: (level) => {
      logger.level = level;
    },
  };
}
