/** What is to be kept running. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints, appended. */
  readonly logFile: string;
  /** Time between SIGTERM and SIGKILL. */
  readonly stopTimeoutMs: number;
}
