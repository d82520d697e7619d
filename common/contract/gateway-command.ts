/**
 * How Node is started for a gateway.
 *
 * Young objects get little room on purpose. Images pass through as buffers outside V8's heap, each held by a small object: with the
 * default of 16 MB the heap looks empty while tens of megabytes wait behind it, so V8 marks the whole heap again and again under
 * external memory pressure. With 2 MB the cheap collection comes early: half the CPU time and a third less memory for a series
 * (docs/measurements.md).
 */
export const gatewayNodeOptions: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=2',
];
