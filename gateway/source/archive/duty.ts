/**
 * Who plans messages and runs publication jobs. Of several gateways on one archive exactly one is on duty: reports of one study are
 * worked on in the order they came (ci-sis §2.1), whichever gateway heard them.
 */
export interface Duty {
  held(): boolean;
  /** Once. */
  begin(listener: DutyListener): void;
  /** Whoever is on duty looks for work. @throws ArchiveUnavailable */
  announce(): Promise<void>;
  /** Gives it up: another gateway may take it at once. */
  stop(): Promise<void>;
}

export interface DutyListener {
  taken(): void;
  /** No new work from now on. Work under way may end: each of its writes is conditional. */
  lost(detail: string): void;
  /** The archive answers, but not to the connection that duty hangs on; it is tried again. */
  refused(detail: string): void;
  /** There may be work; also said now and then, as a net. */
  work(): void;
}

/** The only gateway of an archive is on duty as long as it lives. */
export function aloneOnDuty(): Duty {
  const state: { listener: DutyListener | undefined } = { listener: undefined };
  return {
    held: () => true,
    begin(listener) {
      state.listener = listener;
      listener.taken();
    },
    announce() {
      state.listener?.work();
      return Promise.resolve();
    },
    stop: () => Promise.resolve(),
  };
}
