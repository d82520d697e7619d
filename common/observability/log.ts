/** Structured logs: one JSON object a line on standard output, levels by name, times in RFC 3339, nothing personal by accident. */
import pino from 'pino';
import { openLineWriter } from './line-writer.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
  setLevel(level: LogLevel): void;
}

/** Fields that never reach a log, wherever they stand. */
const redacted = ['token', 'authorization', 'patient', '*.token', '*.authorization', '*.patient'];

/**
 * @param destination file descriptor; 1 unless told. Each line is written at once, so that a line before SIGKILL is a line on disk or in the
 *   pipe; lines wait for a pipe's reader, the program does not (line-writer.ts).
 */
export function createLog(level: LogLevel, fields: Readonly<Record<string, unknown>> = {}, destination = 1): Log {
  const logger = pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted, remove: true },
    },
    openLineWriter(destination),
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
