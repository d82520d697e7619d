/** Says each step as it happens, on standard error, and keeps its time. */
export interface Step {
  readonly name: string;
  readonly ms: number;
}

export interface Narrator {
  readonly steps: readonly Step[];
  /** Runs and times one step; its result may add a remark. */
  step<T>(name: string, work: () => Promise<T>, remark?: (result: T) => string): Promise<T>;
}

export function createNarrator(quiet: boolean): Narrator {
  const steps: Step[] = [];
  const say = (text: string): void => {
    if (!quiet) process.stderr.write(text);
  };
  return {
    steps,
    async step(name, work, remark) {
      if (process.stderr.isTTY) say(`  ${name} ...\r`);
      const started = performance.now();
      try {
        const result = await work();
        const ms = Math.round(performance.now() - started);
        steps.push({ name, ms });
        say(`  ${name.padEnd(44)} ${String(ms).padStart(6)} ms  ${remark?.(result) ?? ''}\n`);
        return result;
      } catch (error) {
        say(`  ${name.padEnd(44)} FAILED\n`);
        throw error;
      }
    },
  };
}
