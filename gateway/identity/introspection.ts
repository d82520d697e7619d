/** Is this access token good? RFC 7662 at Pro Sante Connect or a proxy e-Sante, with our certificate; fails closed (ci-sis §14.3). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { IntrospectionConfig } from '../../common/contract/gateway-config.ts';
import type { TokenIntrospection, TokenVerdict } from './peer.ts';

/** Between the series of one exam; a token lives two minutes. */
const cacheMs = 10_000;
const cachedTokens = 1_000;
const largestAnswerBytes = 65_536;

export interface ClosableIntrospection extends TokenIntrospection {
  close(): Promise<void>;
}

/** @throws Error when a certificate file can't be read. */
export function createIntrospection(
  config: IntrospectionConfig,
  deps: { readonly now: () => Date },
): ClosableIntrospection {
  if (config.mode === 'disabled') {
    return {
      introspect: () => Promise.resolve({ active: true, professionalId: '', clientId: '', expiresAt: undefined }),
      close: () => Promise.resolve(),
    };
  }
  const agent = new Agent({
    allowH2: false,
    connect: {
      cert: readFileSync(config.client.certificateFile),
      key: readFileSync(config.client.keyFile),
      ca: readFileSync(config.trustFile),
      minVersion: 'TLSv1.2',
    },
    headersTimeout: config.timeoutMs,
    bodyTimeout: config.timeoutMs,
  });
  const cache = new Map<string, { readonly verdict: TokenVerdict; readonly until: number }>();

  const ask = async (token: string, signal: AbortSignal | undefined): Promise<TokenVerdict> => {
    const deadline = AbortSignal.timeout(config.timeoutMs);
    const answer = await request(config.url, {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ token, token_type_hint: 'access_token', client_id: config.clientId }).toString(),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    const text = await limitedText(answer.body);
    if (answer.statusCode !== 200) return { active: false, detail: `introspection answered HTTP ${answer.statusCode}` };
    return readAnswer(text, deps.now());
  };

  return {
    async introspect(token, signal) {
      const key = createHash('sha256').update(token).digest('base64');
      const now = deps.now().getTime();
      const known = cache.get(key);
      if (known && known.until > now) return known.verdict;
      cache.delete(key);
      let verdict: TokenVerdict;
      try {
        verdict = await ask(token, signal);
      } catch (error) {
        return {
          active: false,
          detail: `introspection unreachable: ${error instanceof Error ? error.message : String(error)}`,
        };
      }
      if (verdict.active) {
        const [oldest] = cache.keys();
        if (cache.size >= cachedTokens && oldest !== undefined) cache.delete(oldest);
        cache.set(key, { verdict, until: Math.min(now + cacheMs, verdict.expiresAt ?? now + cacheMs) });
      }
      return verdict;
    },
    close: () => agent.close(),
  };
}

async function limitedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > largestAnswerBytes) throw new Error(`answer over ${largestAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `active` must be true itself: nothing else means yes. Expiry is in milliseconds since the epoch. */
export function readAnswer(text: string, now: Date): TokenVerdict {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return { active: false, detail: 'introspection did not answer JSON' };
  }
  if (typeof answer !== 'object' || answer === null || !('active' in answer) || answer.active !== true)
    return { active: false, detail: 'token not active' };
  const claims = answer as Readonly<Record<string, unknown>>;
  const claim = (...names: string[]): string =>
    names.map((name) => claims[name]).find((value) => typeof value === 'string') ?? '';
  const expiresAt = typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : undefined;
  if (expiresAt !== undefined && expiresAt <= now.getTime()) return { active: false, detail: 'token expired' };
  return {
    active: true,
    professionalId: claim('SubjectNameID', 'preferred_username', 'sub'),
    clientId: claim('client_id', 'azp'),
    expiresAt,
  };
}
