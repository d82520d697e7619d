/** The MLLP listener: framing, one message at a time per connection, an answer to each, nothing unbounded (ci-sis §2.1). */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { acknowledge } from './acknowledge.ts';
import { parseMessage } from './message.ts';
import { readMessageHeader } from './message-header.ts';
import { MllpFrames, frame } from './mllp-frames.ts';
import type { MessageHeader, ReportFault } from './report.ts';

export interface MllpOptions {
  readonly host: string;
  readonly port: number;
  readonly maxMessageBytes: number;
  /** Silence between messages; senders keep connections for hours. */
  readonly idleTimeoutMs?: number;
  /** Silence in the middle of a message. */
  readonly frameTimeoutMs?: number;
  readonly maxConnections?: number;
  /** Longest wait, on close, for a message being handled. */
  readonly closeTimeoutMs?: number;
}

export interface MllpDependencies {
  readonly now: () => Date;
  /** Unique MSH-10 of our own answers, at most 20 characters. */
  readonly newControlId: () => string;
  /** The handler rejected; the sender was answered AE 207. */
  readonly onHandlerFailure: (error: unknown, remote: string) => void;
  /** A frame went over the cap; the sender was answered AR and its connection closed. */
  readonly onOversize?: (remote: string) => void;
}

/** How long the rest of an oversize frame is read away after its refusal. */
const DISCARD_MS = 2_000;

/** Given one message without framing, resolves with its acknowledgement without framing; resolves only once the message is durable. */
export type MllpHandler = (bytes: Buffer, remote: string) => Promise<Buffer>;

export interface MllpListener {
  readonly address: AddressInfo;
  /** Refuses new connections, lets messages being handled finish and be answered, then closes. */
  close(): Promise<void>;
}

/** @throws Error when the address can't be bound. */
export async function startMllpListener(
  options: MllpOptions,
  handle: MllpHandler,
  deps: MllpDependencies,
): Promise<MllpListener> {
  const connections = new Set<Connection>();
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
    const connection = new Connection(socket, options, handle, deps);
    connections.add(connection);
    void connection.run().finally(() => connections.delete(connection));
  });
  server.maxConnections = options.maxConnections ?? 64;
  const address = await listen(server, options);
  return {
    address,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => connections.forEach((one) => one.destroy()), options.closeTimeoutMs ?? 10_000);
      for (const connection of connections) connection.finish();
      await closed;
      clearTimeout(timer);
    },
  };
}

async function listen(server: Server, options: MllpOptions): Promise<AddressInfo> {
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('MLLP: not a TCP address'));
      else resolve(address);
    });
  });
}

class Connection {
  readonly #socket: Socket;
  readonly #options: MllpOptions;
  readonly #handle: MllpHandler;
  readonly #deps: MllpDependencies;
  readonly #remote: string;
  readonly #frames: MllpFrames;
  #busy = false;
  #finishing = false;
  #discarding = false;

  constructor(socket: Socket, options: MllpOptions, handle: MllpHandler, deps: MllpDependencies) {
    this.#socket = socket;
    this.#options = options;
    this.#handle = handle;
    this.#deps = deps;
    this.#remote = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.#frames = new MllpFrames(options.maxMessageBytes);
    socket.on('timeout', () => {
      if (!this.#busy) socket.destroy();
    });
  }

  /** Reading waits while a message is handled: order is kept and a fast sender is held back by TCP. Never rejects. */
  async run(): Promise<void> {
    this.#watchSilence();
    try {
      for await (const chunk of this.#socket) {
        if (!this.#discarding) await this.#take(chunk as Buffer);
        if (this.#finishing || this.#socket.destroyed) break;
        this.#watchSilence();
      }
    } catch {
      // The sender is gone: a message it got no answer for is its to send again.
    }
    this.#socket.destroy();
  }

  /** Ends now when idle, after the answer in progress otherwise. */
  finish(): void {
    this.#finishing = true;
    if (!this.#busy) this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #take(chunk: Buffer): Promise<void> {
    this.#busy = true;
    for (const message of this.#frames.push(chunk)) {
      if (this.#finishing && this.#socket.destroyed) return;
      await this.#answer(await this.#handled(message));
    }
    if (this.#frames.overflowed) await this.#refuseOversize();
    this.#busy = false;
  }

  async #handled(message: Buffer): Promise<Buffer> {
    try {
      return await this.#handle(message, this.#remote);
    } catch (error) {
      this.#deps.onHandlerFailure(error, this.#remote);
      return acknowledge(headerOf(message), { code: 'AE', faults: [internalError] }, this.#identity());
    }
  }

  async #refuseOversize(): Promise<void> {
    this.#deps.onOversize?.(this.#remote);
    const faults = [oversize(this.#options.maxMessageBytes)];
    await this.#answer(acknowledge(headerOf(this.#frames.beginning()), { code: 'AR', faults }, this.#identity()));
    // The rest of the frame is still coming: it is read away for a moment, so that no reset overtakes the answer.
    this.#discarding = true;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), DISCARD_MS).unref();
  }

  /** Written and taken by the kernel before the next message is read. */
  async #answer(message: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(frame(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  #watchSilence(): void {
    const { idleTimeoutMs = 3_600_000, frameTimeoutMs = 60_000 } = this.#options;
    this.#socket.setTimeout(this.#frames.insideFrame ? frameTimeoutMs : idleTimeoutMs);
  }

  #identity(): { now: Date; controlId: string } {
    return { now: this.#deps.now(), controlId: this.#deps.newControlId() };
  }
}

function headerOf(message: Buffer): MessageHeader | undefined {
  const parsed = parseMessage(message);
  const segment = parsed.kind === 'message' ? parsed.message.header : parsed.header;
  return segment === undefined ? undefined : readMessageHeader(segment);
}

const internalError: ReportFault = {
  code: '207',
  field: 'MSH',
  rule: 'the message could not be stored',
  advice: 'send it again; tell the administrator of the DRIMbox if it goes on',
  source: 'ci-sis §2.9',
};

function oversize(limit: number): ReportFault {
  return {
    code: '207',
    field: 'MSH',
    rule: `a message has at most ${limit} bytes here`,
    advice: 'send a smaller document, or have listeners.mllp.maxMessageBytes raised',
    source: 'ci-sis §2.1',
  };
}
