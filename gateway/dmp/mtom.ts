/** MTOM/XOP packaging of TD2.1 (ci-sis §6.3, RFC 2387): CRLF everywhere, documents as they are. */
import { contentIds } from './bodies.ts';

export interface MtomMessage {
  readonly contentType: string;
  readonly body: Buffer;
}

/** @param boundary one that no part contains: a fresh UUID. */
export function mtomMessage(
  root: Buffer,
  documents: { readonly kos: Uint8Array; readonly signature: Uint8Array },
  action: string,
  boundary: string,
): MtomMessage {
  const part = (type: string, id: string, bytes: Uint8Array): readonly Uint8Array[] => [
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}>\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ];
  return {
    contentType: `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<0.1>"; start-info="application/soap+xml"; action="${action}"`,
    body: Buffer.concat([
      ...part(`application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="${action}"`, '0.1', root),
      ...part('application/octet-stream', contentIds.kos, documents.kos),
      ...part('application/octet-stream', contentIds.signature, documents.signature),
      Buffer.from(`--${boundary}--\r\n`),
    ]),
  };
}
