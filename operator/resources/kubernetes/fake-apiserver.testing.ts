/** An API server of one collection that misbehaves when told to: for what a real one does too seldom to be tested with. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeAccess } from './access.ts';
import { keyOf, type KubeObject } from './resource-kind.ts';

export interface Script {
  readonly on: 'list' | 'watch' | 'any';
  /** 'silent': takes the request and never answers. 'reset': the connection breaks. */
  readonly answer: number | 'silent' | 'reset';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface FakeApiserver {
  readonly access: KubeAccess;
  /** Scripted answers; each is used once, by the next request it fits. */
  readonly script: Script[];
  readonly seen: Seen[];
  /** Every watch sees it, unless `unheard`. */
  put(object: KubeObject, unheard?: boolean): void;
  delete(key: string, unheard?: boolean): void;
  /** Raw bytes to every watch. */
  write(bytes: Buffer | string): void;
  /** Ends every watch. */
  end(how: 'close' | 'reset'): void;
  bookmark(): void;
  readonly watches: number;
  readonly mostWatches: number;
  /** Ever opened. */
  readonly connections: number;
  readonly openConnections: number;
  /** What any other request is answered. */
  other: (seen: Seen) => { readonly status: number; readonly body: unknown };
  stop(): Promise<void>;
}

export const statusOf = (code: number, reason: string, message = reason, details: object = {}): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message,
  details,
});

export async function startFakeApiserver(): Promise<FakeApiserver> {
  const objects = new Map<string, KubeObject>();
  const watches = new Set<ServerResponse>();
  const script: Script[] = [];
  const seen: Seen[] = [];
  let version = 100;
  let mostWatches = 0;
  let connections = 0;
  const open = new Set<unknown>();

  const send = (response: ServerResponse, status: number, body: unknown, headers = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const list = (query: URLSearchParams, response: ServerResponse): void => {
    const start = Number(query.get('continue') ?? 0);
    const end = start + Number(query.get('limit') ?? objects.size);
    const items = [...objects.values()].slice(start, end);
    const next = end < objects.size ? { continue: String(end) } : {};
    send(response, 200, { kind: 'List', metadata: { resourceVersion: String(version), ...next }, items });
  };
  const watch = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    watches.add(response);
    mostWatches = Math.max(mostWatches, watches.size);
    response.once('close', () => watches.delete(response));
  };
  const write = (bytes: Buffer | string): void => watches.forEach((response) => response.write(bytes));
  const emit = (type: string, object: object): void => write(`${JSON.stringify({ type, object })}\n`);

  const answer = (entry: Seen, response: ServerResponse): void => {
    seen.push(entry);
    const watching = entry.query.get('watch') === 'true';
    const listing = !watching && entry.method === 'GET' && entry.query.has('limit');
    const at = script.findIndex(({ on }) => on === 'any' || (on === 'watch' ? watching : listing));
    const scripted = at < 0 ? undefined : script.splice(at, 1)[0];
    if (scripted?.answer === 'silent') return;
    if (scripted?.answer === 'reset') response.socket?.resetAndDestroy();
    else if (scripted !== undefined) {
      send(response, scripted.answer, scripted.body ?? statusOf(scripted.answer, 'Scripted'), scripted.headers);
    } else if (watching) watch(response);
    else if (listing) list(entry.query, response);
    else {
      const { status, body } = api.other(entry);
      send(response, status, body);
    }
  };
  const server = createServer((request, response) => receive(request, (entry) => answer(entry, response)));
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const api: FakeApiserver = {
    access: {
      server: `http://127.0.0.1:${port}`,
      tls: () => ({}),
      authorization: async () => undefined,
      refused: () => undefined,
      namespace: 'default',
    },
    script,
    seen,
    put(object, unheard = false) {
      version += 1;
      const former = objects.has(keyOf(object));
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
      objects.set(keyOf(object), stored);
      if (!unheard) emit(former ? 'MODIFIED' : 'ADDED', stored);
    },
    delete(key, unheard = false) {
      version += 1;
      const former = objects.get(key);
      if (former === undefined) throw new Error(`${key} is not there`);
      objects.delete(key);
      const last = { ...former, metadata: { ...former.metadata, resourceVersion: String(version) } };
      if (!unheard) emit('DELETED', last);
    },
    write,
    bookmark() {
      version += 1;
      emit('BOOKMARK', { apiVersion: 'v1', kind: 'Thing', metadata: { name: '', resourceVersion: String(version) } });
    },
    end(how) {
      for (const response of watches) {
        if (how === 'close') response.end();
        else response.socket?.resetAndDestroy();
      }
    },
    get watches() {
      return watches.size;
    },
    get mostWatches() {
      return mostWatches;
    },
    get connections() {
      return connections;
    },
    get openConnections() {
      return open.size;
    },
    other: () => ({ status: 200, body: {} }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return api;
}

function receive(request: IncomingMessage, whole: (seen: Seen) => void): void {
  const chunks: Buffer[] = [];
  const { method = '', headers } = request;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    whole({ method, headers, path: pathname, query: searchParams, body: Buffer.concat(chunks).toString() });
  });
}

/** Waits for what must come, polling; a test that would wait for ever fails with what it waited for. */
export async function until(what: string, condition: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** A ConfigMap like those of users; with `managedFields` it has the 4 kB that most objects of a cluster have. */
export function configMap(name: string, value = 'x', managedFields = false): KubeObject {
  const fields = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f:field-of-the-spec-${at}`, { '.': {} }]));
  const entry = { manager: 'kubectl', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: fields };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      ...(managedFields ? { managedFields: [entry, entry, entry] } : {}),
    },
    data: { value, text: 'd'.repeat(managedFields ? 600 : 10) },
  } as KubeObject;
}
