/** Part of a Kubernetes object, as it stands in JSON. */
export type Json = Readonly<Record<string, unknown>>;
