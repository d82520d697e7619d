/** An administrator's way into a cluster's API, over the veth. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { Kube } from '../kube.ts';
import type { Layout } from './layout.ts';

export interface Api {
  readonly request: Kube['request'];
  close(): Promise<void>;
}

export function openApi({ pki, nodeAddress }: Layout): Api {
  const read = (name: string): string => readFileSync(join(pki, name), 'utf8');
  const agent = new Agent({ connect: { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') } });
  return {
    async request(method, path, body, contentType, accept) {
      const answer = await request(`https://${nodeAddress}:6443${path}`, {
        method,
        dispatcher: agent,
        headers: { accept: accept ?? 'application/json', 'content-type': contentType ?? 'application/json' },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : { message: text } };
    },
    close: async () => await agent.destroy(),
  };
}

/** An object or a list as it is now. @throws Error with the API's words unless it answers 200 */
export async function asked<T>({ request: ask }: Pick<Api, 'request'>, path: string): Promise<T> {
  const { status, body } = await ask('GET', path);
  if (status !== 200) throw new Error(`${path}: ${status} ${String(body['message'])}`);
  return body as T;
}
