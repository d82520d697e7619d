/** Echoes each PACS on a schedule, so that health and status speak of something that happened (DB.SO.183). */
import type { Pacs } from '../dicom/pacs.ts';
import type { PacsFact } from './health.ts';

export interface PacsWatch {
  facts(): readonly (PacsFact & { readonly detail: string; readonly since: Date })[];
  /** Echo now, all of them. */
  echoAll(): Promise<void>;
  stop(): void;
}

/** @param onReturn a PACS answers again after a silence: waiting jobs can be tried. */
export function startPacsWatch(deps: {
  readonly pacs: () => readonly Pacs[];
  readonly intervalMs: number;
  readonly now: () => Date;
  readonly onReturn: () => void;
}): PacsWatch {
  const facts = new Map<string, PacsFact & { readonly detail: string; readonly since: Date }>();

  const echo = async (pacs: Pacs): Promise<void> => {
    const before = facts.get(pacs.name);
    const result = await pacs.echo().then(
      () => ({ up: true, detail: '' }),
      (error: unknown) => ({ up: false, detail: error instanceof Error ? error.message : String(error) }),
    );
    const now = deps.now();
    const since = before?.lastEchoUp === result.up ? before.since : now;
    facts.set(pacs.name, { name: pacs.name, lastEchoAt: now, lastEchoUp: result.up, detail: result.detail, since });
    if (result.up && before && !before.lastEchoUp) deps.onReturn();
  };

  const echoAll = async (): Promise<void> => {
    const pacs = deps.pacs();
    for (const name of facts.keys()) if (!pacs.some((one) => one.name === name)) facts.delete(name);
    await Promise.all(pacs.map(echo));
  };
  const timer = setInterval(() => void echoAll(), deps.intervalMs);
  return { facts: () => [...facts.values()], echoAll, stop: () => clearInterval(timer) };
}
