export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** `ADDRESS:PORT`, the address in brackets when it is IPv6; undefined when it is neither. @param lowestPort 0 where any free one will do */
export function readListen(text: string, lowestPort: 0 | 1 = 1): Listen | undefined {
  const match = /^(?:\[([0-9a-f:]+)\]|([^:]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < lowestPort || port > 65_535 ? undefined : { host, port };
}
