/** What a request is called in metrics: few values, none of them a name of an object. */
import { applyPatch } from './retry.ts';

export interface RequestName {
  readonly verb: string;
  readonly resource: string;
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', DELETE: 'delete', PATCH: 'patch' };

/** @param path from pathOf */
export function requestName(method: string, path: string, contentType?: string, watch = false): RequestName {
  const parts = path.split('/').slice(1);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  // /namespaces/x/plural/... unless namespaces themselves are meant
  const own = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  const [plural = path, name, subresource] = own;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  if (watch) return { verb: 'watch', resource };
  if (method === 'GET') return { verb: name === undefined ? 'list' : 'get', resource };
  if (method === 'PATCH' && (contentType ?? applyPatch) === applyPatch) return { verb: 'apply', resource };
  return { verb: verbs[method] ?? method.toLowerCase(), resource };
}
