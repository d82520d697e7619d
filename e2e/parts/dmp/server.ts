/** HTTPS of the simulated DMP: client certificate demanded, every request and answer kept. */
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { type Place, loopback } from '../place.ts';
import { endOf } from '../server-end.ts';
import { type DeskDependencies, serve, type Served } from './desk.ts';
import { pemBlocks } from './trust.ts';

export interface ServerOptions {
  readonly port: number;
  readonly place?: Place;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string;
  readonly crlFile?: string;
}

export const SERVICES = '/si-dmp-server/v2/services';
const LONGEST_REQUEST = 64 << 20;

export interface Listening {
  readonly server: Server;
  /** At once, whoever is connected. */
  readonly end: () => Promise<void>;
}

export async function listen(options: ServerOptions, desk: DeskDependencies): Promise<Listening> {
  const journal = openJournal(join(desk.directory, 'requests'));
  // Node reads only the first CRL of a PEM bundle: each is given by itself
  const server = createServer({
    cert: readFileSync(options.certificateFile),
    key: readFileSync(options.keyFile),
    ca: readFileSync(options.clientCaFile),
    ...(options.crlFile !== undefined && { crl: [...pemBlocks(readFileSync(options.crlFile, 'utf8'), 'X509 CRL')] }),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
  const end = endOf(server);
  server.on('request', (request, response) => {
    handle(request, response, desk, journal).catch((error: unknown) => {
      journal.note(`defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      response.destroy();
    });
  });
  server.on('tlsClientError', (error) => journal.note(`TLS: ${error.message}`));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, (options.place ?? loopback).host, resolve);
  });
  return { server, end };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  desk: DeskDependencies,
  journal: RequestJournal,
): Promise<void> {
  const { socket, url = '', headers } = request;
  if (!(socket instanceof TLSSocket)) throw new Error('not a TLS connection');
  const client = new X509Certificate(socket.getPeerCertificate().raw);
  if (request.method !== 'POST' || !url.startsWith(`${SERVICES}/`)) {
    response.writeHead(request.method === 'POST' ? 404 : 405).end();
    return;
  }
  const body = await bodyOf(request);
  const contentType = headers['content-type'] ?? '';
  const served = await serve({ path: url, contentType, body }, client, desk);
  journal.keep(served, request, body);
  if (served.kind === 'cut') {
    socket.destroy();
    return;
  }
  if (served.delayMs > 0) await sleep(served.delayMs);
  response.writeHead(served.answer.status, { 'content-type': served.answer.contentType }).end(served.answer.body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > LONGEST_REQUEST) throw new Error(`a request longer than ${LONGEST_REQUEST} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

interface RequestJournal {
  keep(served: Served, request: IncomingMessage, body: Buffer): void;
  note(line: string): void;
}

/** `0001-ITI-41.mime` is a whole MIME message: headers, empty line, body, as it came; `.answer` what went back. */
function openJournal(directory: string): RequestJournal {
  mkdirSync(directory, { recursive: true });
  const count = { requests: readdirSync(directory).filter((name) => name.endsWith('.mime')).length };
  return {
    keep(served, { headers, url }, body) {
      const name = `${String((count.requests += 1)).padStart(4, '0')}-${served.operation}`;
      const head = `X-Path: ${url ?? ''}\r\nMIME-Version: 1.0\r\nContent-Type: ${headers['content-type'] ?? ''}\r\n\r\n`;
      writeFileSync(join(directory, `${name}.mime`), Buffer.concat([Buffer.from(head), body]));
      if (served.kind === 'answer') writeFileSync(join(directory, `${name}.answer`), served.answer.body);
    },
    note: (line) => writeFileSync(join(directory, 'notes.log'), `${line}\n`, { flag: 'a' }),
  };
}
