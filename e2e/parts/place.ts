/** Where a simulator listens and under which name it is called: on loopback, or on the address at which a test network reaches this host. */
export interface Place {
  /** Address to listen on. */
  readonly host: string;
  /** In its URLs and its certificate. */
  readonly name: string;
}

export const loopback: Place = { host: '127.0.0.1', name: 'localhost' };
