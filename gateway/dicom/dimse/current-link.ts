/** Associations to a PACS whose address may change meanwhile: new ones go where it is now, those under way end as they began. */
import type { PacsConfig } from '../../../common/contract/gateway-config.ts';
import type { AeTitle } from '../../domain.ts';
import type { QuickAck } from '../association/quick-ack.ts';
import { Link } from './link.ts';

export class CurrentLink {
  readonly #make: (config: PacsConfig) => Link;
  readonly #former = new Set<Link>();
  #current: Link;

  constructor(config: PacsConfig, calling: AeTitle, quickAck: QuickAck, clock: () => number) {
    this.#make = (next) => new Link(next, calling, quickAck, clock);
    this.#current = this.#make(config);
  }

  /** As {@link Link.use}, on an association to where the PACS is now. */
  use: Link['use'] = async (...operation) => await this.#current.use(...operation);

  follow(config: PacsConfig): void {
    for (const link of this.#former) if (link.isIdle) this.#former.delete(link);
    if (!this.#current.isIdle) this.#former.add(this.#current);
    this.#current = this.#make(config);
  }

  close(): void {
    for (const link of [this.#current, ...this.#former]) link.close();
  }
}
