/** A simulated RIS: sends HL7 v2 by MLLP and waits for the acknowledgement. */
import { type Socket, connect } from 'node:net';
import { once } from 'node:events';

const [START, END, RETURN] = [0x0b, 0x1c, 0x0d];

export interface RisConnection {
  /** Sends one message and resolves with its acknowledgement, both without framing. @throws Error when the peer closes first. */
  send(message: Buffer): Promise<Buffer>;
  /** Sends bytes as they are, for protocol tests. */
  write(bytes: Buffer): Promise<void>;
  /** Next acknowledgement on the wire. */
  receive(): Promise<Buffer>;
  /** Resolves when the peer has closed. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** @throws Error when nothing listens. */
export async function connectRis(host: string, port: number): Promise<RisConnection> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  const inbox = new Inbox(socket);
  const write = async (bytes: Buffer): Promise<void> =>
    await new Promise((resolve, reject) => {
      socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  return {
    write,
    receive: () => inbox.next(),
    async send(message) {
      await write(framed(message));
      return await inbox.next();
    },
    closed: inbox.closed,
    async close() {
      socket.destroy();
      await inbox.closed;
    },
  };
}

/** One message on a connection of its own. */
export async function sendMllp(host: string, port: number, message: Buffer): Promise<Buffer> {
  const connection = await connectRis(host, port);
  try {
    return await connection.send(message);
  } finally {
    await connection.close();
  }
}

export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(START), message, Buffer.of(END, RETURN)]);
}

/** Acknowledgements as they arrive, and whoever waits for them. */
class Inbox {
  readonly closed: Promise<void>;
  #rest = Buffer.alloc(0);
  #over = false;
  readonly #waiting: { resolve: (ack: Buffer) => void; reject: (error: Error) => void }[] = [];
  readonly #arrived: Buffer[] = [];

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined); // 'close' follows and tells whoever waits
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over = true;
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('closed before an acknowledgement'));
        resolve();
      });
    });
  }

  async next(): Promise<Buffer> {
    const ready = this.#arrived.shift();
    if (ready !== undefined) return ready;
    if (this.#over) throw new Error('closed before an acknowledgement');
    return await new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = this.#rest.indexOf(Buffer.of(END, RETURN));
      if (end < 0) return;
      const ack = this.#rest.subarray(this.#rest[0] === START ? 1 : 0, end);
      this.#rest = this.#rest.subarray(end + 2);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#arrived.push(ack);
      else waiting.resolve(ack);
    }
  }
}
