/**
 * Pro Sante Connect as a simulator: OIDC discovery, authorization code with PKCE, token, userinfo, introspection, two-minute access
 * tokens signed RS256, clients known by their TLS certificate (RFC 8705). Written from ci-sis §14, with nothing of the product.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import type { Issued, Pki } from './pki.ts';
import { type Place, loopback } from './place.ts';
import { endOf } from './server-end.ts';

export interface PscOptions {
  readonly pki: Pki;
  /** Loopback unless told. */
  readonly place?: Place;
  readonly server: Issued;
  /** client_id → CN of its certificate. */
  readonly clients: Readonly<Record<string, string>>;
  /** Professionals who may log in, by national id. */
  readonly professionals: Readonly<
    Record<string, { readonly family: string; readonly given: string; readonly structureId: string }>
  >;
  readonly accessTokenSeconds?: number;
}

export interface ProSanteConnect {
  readonly issuer: string;
  readonly introspectionUrl: string;
  /** A token as if this professional had just logged in through that client. */
  tokenFor(professionalId: string, clientId: string): Promise<string>;
  revoke(token: string): void;
  readonly introspections: number;
  setAvailable(available: boolean): void;
  close(): Promise<void>;
}

interface Grant {
  readonly clientId: string;
  readonly professionalId: string;
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string;
}

const realm = '/auth/realms/esante-wallet';

export async function startProSanteConnect(options: PscOptions): Promise<ProSanteConnect> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'psc-1', alg: 'RS256', use: 'sig' };
  const grants = new Map<string, Grant>();
  const revoked = new Set<string>();
  const state = { available: true, introspections: 0, base: '' };

  const issue = (
    professionalId: string,
    clientId: string,
    kind: 'access' | 'id',
    claims: Record<string, unknown> = {},
  ): Promise<string> =>
    new SignJWT({
      ...claims,
      azp: clientId,
      preferred_username: professionalId,
      SubjectNameID: professionalId,
      typ: kind,
    })
      .setProtectedHeader({ alg: 'RS256', kid: jwk.kid })
      .setIssuer(state.base)
      .setSubject(professionalId)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${options.accessTokenSeconds ?? 120} s`)
      .sign(privateKey);

  const active = async (token: string): Promise<Record<string, unknown> | undefined> => {
    if (revoked.has(token)) return undefined;
    try {
      const { payload } = await jwtVerify(token, publicKey, { issuer: state.base });
      return payload;
    } catch {
      return undefined; // forged, expired or not a token: not active, which is the whole answer (RFC 7662 §2.2)
    }
  };

  const handlers: Readonly<
    Record<string, (request: IncomingMessage, url: URL, form: URLSearchParams) => Promise<Answer>>
  > = {
    [`GET ${realm}/.well-known/wallet-openid-configuration`]: () => Promise.resolve(json(200, discovery(state.base))),
    [`GET ${realm}/protocol/openid-connect/certs`]: () => Promise.resolve(json(200, { keys: [jwk] })),
    [`GET ${realm}/protocol/openid-connect/auth`]: (_request, url) => {
      const get = (name: string): string => url.searchParams.get(name) ?? '';
      const professionalId = get('login_hint');
      if (options.clients[get('client_id')] === undefined || options.professionals[professionalId] === undefined)
        return Promise.resolve(json(400, { error: 'invalid_request' }));
      if (get('code_challenge_method') !== 'S256' || get('acr_values') !== 'eidas1')
        return Promise.resolve(json(400, { error: 'invalid_request' }));
      const code = randomUUID();
      grants.set(code, {
        clientId: get('client_id'),
        professionalId,
        challenge: get('code_challenge'),
        redirectUri: get('redirect_uri'),
        nonce: get('nonce'),
      });
      const location = new URL(get('redirect_uri'));
      location.searchParams.set('code', code);
      location.searchParams.set('state', get('state'));
      return Promise.resolve({ status: 302, headers: { location: location.href }, body: '' });
    },
    [`POST ${realm}/protocol/openid-connect/token`]: async (request, _url, form) => {
      const clientId = clientOf(request, form, options);
      if (clientId === undefined) return json(401, { error: 'invalid_client' });
      const code = form.get('code') ?? '';
      const grant = grants.get(code);
      grants.delete(code);
      const proof = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (grant?.clientId !== clientId || grant.challenge !== proof || grant.redirectUri !== form.get('redirect_uri'))
        return json(400, { error: 'invalid_grant' });
      const access = await issue(grant.professionalId, clientId, 'access');
      const id = await issue(grant.professionalId, clientId, 'id', { nonce: grant.nonce, acr: 'eidas1' });
      return json(200, {
        access_token: access,
        id_token: id,
        token_type: 'Bearer',
        expires_in: options.accessTokenSeconds ?? 120,
        scope: 'openid scope_all',
      });
    },
    [`GET ${realm}/protocol/openid-connect/userinfo`]: async (request) => {
      const claims = await active(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
      const id = typeof claims?.['sub'] === 'string' ? claims['sub'] : '';
      const professional = options.professionals[id];
      if (!professional) return json(401, { error: 'invalid_token' });
      return json(200, userInfo(id, professional));
    },
    [`POST ${realm}/protocol/openid-connect/token/introspect`]: async (request, _url, form) => {
      state.introspections += 1;
      if (clientOf(request, form, options) === undefined) return json(401, { error: 'invalid_client' });
      const claims = await active(form.get('token') ?? '');
      return json(
        200,
        claims ? { ...claims, active: true, client_id: claims['azp'], token_type: 'Bearer' } : { active: false },
      );
    },
  };

  const server = createServer(
    {
      cert: readFileSync(options.server.certificateFile),
      key: readFileSync(options.server.keyFile),
      ca: readFileSync(options.pki.bundleFile),
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    },
    (request, response) => void answer(request, response),
  );
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!state.available) {
      request.socket.destroy();
      return;
    }
    const url = new URL(request.url ?? '/', state.base);
    const handler = handlers[`${request.method ?? ''} ${url.pathname}`];
    const form = new URLSearchParams(await bodyOf(request));
    const { status, headers, body } = handler ? await handler(request, url, form) : json(404, { error: 'not_found' });
    response.writeHead(status, headers).end(body);
  };
  const close = endOf(server);
  await new Promise<void>((resolve) => server.listen(0, (options.place ?? loopback).host, resolve));
  const origin = `https://${(options.place ?? loopback).name}:${(server.address() as AddressInfo).port}`;
  state.base = `${origin}${realm}`;
  return {
    issuer: state.base,
    introspectionUrl: `${state.base}/protocol/openid-connect/token/introspect`,
    tokenFor: (professionalId, clientId) => issue(professionalId, clientId, 'access'),
    revoke: (token) => void revoked.add(token),
    get introspections() {
      return state.introspections;
    },
    setAvailable: (available) => {
      state.available = available;
    },
    close,
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

function json(status: number, body: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

/** tls_client_auth: client_id must be the one whose certificate this connection shows. */
function clientOf(request: IncomingMessage, form: URLSearchParams, options: PscOptions): string | undefined {
  const socket = request.socket as TLSSocket;
  const clientId = form.get('client_id') ?? '';
  const commonName = socket.authorized ? socket.getPeerCertificate().subject.CN : undefined;
  return commonName !== undefined && options.clients[clientId] === commonName ? clientId : undefined;
}

function discovery(base: string): unknown {
  const endpoint = (name: string): string => `${base}/protocol/openid-connect/${name}`;
  return {
    issuer: base,
    authorization_endpoint: endpoint('auth'),
    token_endpoint: endpoint('token'),
    userinfo_endpoint: endpoint('userinfo'),
    introspection_endpoint: endpoint('token/introspect'),
    jwks_uri: endpoint('certs'),
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['tls_client_auth'],
    tls_client_certificate_bound_access_tokens: true,
  };
}

function userInfo(id: string, professional: PscOptions['professionals'][string]): unknown {
  return {
    sub: id,
    SubjectNameID: id,
    preferred_username: id,
    family_name: professional.family,
    given_name: professional.given,
    SubjectRefPro: {
      exercices: [
        {
          codeProfession: '10',
          nomDexercice: professional.family,
          prenomDexercice: professional.given,
          codeSavoirFaire: 'SM44',
          activities: [
            {
              ancienIdentifiantDeLaStructure: professional.structureId,
              codeSecteurDactivite: 'SA07',
              raisonSocialeSite: 'Structure synthétique',
            },
          ],
        },
      ],
    },
  };
}
