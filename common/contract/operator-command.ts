/** How Node is started for the operator, in its image and wherever it is measured (docs/measurements-region.md). */

/** Its garbage is short-lived: more young space is never needed. What stays may grow by a quarter before it is looked through again. */
export const operatorNodeOptions: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--heap-growing-percent=25',
];

/**
 * glibc keeps what is freed: one pool for each thread, and in each of them any block up to 32 MiB once one of that size was freed.
 * The proxies' listener alone is megabytes, made anew with each link.
 */
export const operatorEnvironment: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
