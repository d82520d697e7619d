/** The end of a command: its exit code, and what it says when it could not. */

/**
 * Runs it and sets the exit code: its own, 2 for wrong usage (`parseArgs`), 1 for any other error; both are told on standard error.
 * @param usage told after the words of wrong usage
 */
export async function runCommand(name: string, usage: string, run: () => Promise<number> | number): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const wrongUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    const words = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name}: ${words}\n${wrongUsage ? usage : ''}`);
    process.exitCode = wrongUsage ? 2 : 1;
  }
}
