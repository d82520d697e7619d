/** A list that must be refused, and what the judge we did not write (EU DSS) says of it. */
export interface Trust {
  readonly anchors: readonly Buffer[];
  readonly crls: readonly Buffer[];
  readonly requireRevocation: boolean;
  readonly at: Date;
}

export interface Variant {
  /** What is wrong with it. */
  readonly name: string;
  /** The one reason it must be refused for. */
  readonly reason: string;
  readonly bytes: Buffer;
  /** Other material than the laboratory's. */
  readonly trust?: Partial<Trust>;
  /** Why EU DSS passes it all the same; absent when DSS does not pass it either. */
  readonly dssPasses?: string;
  /** Set when DSS ends without a verdict: it is not asked. */
  readonly dssDies?: string;
}

/** Fails when the edit did nothing: a variant that is the original would be accepted for the wrong reason. */
export function edit(xml: string, from: string | RegExp, to: string): string {
  const edited = xml.replace(from, () => to);
  if (edited === xml) throw new Error(`nothing was changed by ${String(from)}`);
  return edited;
}
