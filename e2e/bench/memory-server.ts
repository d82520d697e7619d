/**
 * The other half of the reference: the study's multipart bytes from memory, behind the same TLS as a gateway's, with nothing to
 * fetch and nothing to check. Whoever sends images by Node through this ingress can't be faster than this.
 *
 * usage: memory-server.ts CONFIG.json
 */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';

export interface MemoryServerConfig {
  readonly port: number;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string;
  readonly files: readonly { readonly file: string; readonly transferSyntaxUid: string }[];
}

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as MemoryServerConfig;
const boundary = 'drimbox-memory-reference';
const parts = config.files.map(({ file, transferSyntaxUid }, index) =>
  Buffer.concat([
    Buffer.from(
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: application/dicom; transfer-syntax=${transferSyntaxUid}\r\n\r\n`,
    ),
    readFileSync(file),
  ]),
);

async function send(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': `multipart/related; type="application/dicom"; boundary="${boundary}"` });
  for (const part of parts)
    if (!response.write(part)) await new Promise<void>((resolve) => response.once('drain', () => resolve()));
  response.end(`\r\n--${boundary}--\r\n`);
}

const server = createServer(
  {
    cert: readFileSync(config.certificateFile),
    key: readFileSync(config.keyFile),
    ca: readFileSync(config.clientCaFile),
    requestCert: true,
    rejectUnauthorized: true,
    noDelay: true,
    ALPNProtocols: ['http/1.1'],
  },
  (_request, response) => void send(response),
);
server.listen(config.port, '127.0.0.1');
