/** A request that breaks just one rule, sent to the DMP we test against. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Agent, request } from 'undici';
import { signAssertion } from '../../common/signature/saml.ts';
import { readSigningKey, type SigningKey } from '../../common/signature/signing-key.ts';
import type { Xml } from '../../common/signature/xml-writer.ts';
import type { Issued } from '../../e2e/parts/pki.ts';
import { type DmpWorld, submission, user } from './dmp.testing.ts';
import { type PreparedRequest, prepareSearch, prepareSubmission } from './prepare.ts';
import type { Submission } from './submission.ts';

export interface Case {
  readonly name: string;
  readonly make: () => PreparedRequest;
  /** What the DMP must say. */
  readonly because: RegExp;
  readonly agent?: Agent;
}

export const keyOf = ({ chainPem, keyPem }: Issued): SigningKey => readSigningKey(chainPem, keyPem);

export function agentOf({ pki }: DmpWorld, { certificateFile, keyFile }: Issued): Agent {
  const [cert, key] = [readFileSync(certificateFile), readFileSync(keyFile)];
  return new Agent({ connect: { ca: readFileSync(pki.bundleFile), cert, key } });
}

export interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

export async function sendRaw(prepared: PreparedRequest, dispatcher: Agent): Promise<RawAnswer> {
  const { statusCode, headers, body } = await request(prepared.url, {
    method: 'POST',
    headers: { 'content-type': prepared.contentType },
    body: prepared.body,
    dispatcher,
  });
  return {
    status: statusCode,
    contentType: String(headers['content-type']),
    body: Buffer.from(await body.arrayBuffer()),
  };
}

/** One test per case: refused for that reason, and the registry as it was. */
export function refuses({ dmp }: DmpWorld, cases: readonly Case[], own: Agent): void {
  for (const { name, make, because, agent } of cases)
    test(`refused: ${name}`, async () => {
      const before = JSON.stringify([dmp.entries(), dmp.submissions()]);
      const { status, body } = await sendRaw(make(), agent ?? own);
      const text = body
        .toString('utf8')
        .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
      const reason = /<soap:Text[^>]*>([^<]*)/.exec(text)?.[1] ?? /<rs:RegistryError .*?\/>/s.exec(text)?.[0] ?? text;
      assert.ok(because.test(reason), reason);
      assert.is(status, text.includes('Fault>') ? 400 : 200);
      assert.is(JSON.stringify([dmp.entries(), dmp.submissions()]), before);
    });
}

/** Exchanges text in the bytes; throws when there is nothing to exchange, so that no case tests nothing. */
export function edited(prepared: PreparedRequest, from: string | RegExp, to: string): PreparedRequest {
  const before = prepared.body.toString('latin1');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${String(from)} is not in the request`);
  return { ...prepared, body: Buffer.from(after, 'latin1') };
}

/** Edits the assertion and signs it again: only what it says is wrong. */
function vihfEdited(prepared: PreparedRequest, from: string | RegExp, to: string, key: SigningKey): PreparedRequest {
  const whole = prepared.body.toString('utf8');
  const found = /<saml2:Assertion.*<\/saml2:Assertion>/s.exec(whole)?.[0] ?? '';
  const plain = found.replace(/<ds:Signature.*?<\/ds:Signature>/s, '');
  const said = plain.replace(from, to);
  if (said === plain) throw new Error(`${String(from)} is not in the VIHF`);
  const [, id = ''] = /ID="([^"]*)"/.exec(said) ?? [];
  const render = (signature: Xml | undefined): Xml =>
    ({ text: said.replace('</saml2:Issuer>', `</saml2:Issuer>${signature?.text ?? ''}`) }) as Xml;
  return { ...prepared, body: Buffer.from(whole.replace(found, signAssertion(render, id, key).text), 'utf8') };
}

export interface Workshop {
  readonly publication: (over?: Partial<Submission>) => PreparedRequest;
  readonly search: () => PreparedRequest;
  /** A publication with one text exchanged. */
  readonly edit: (from: string | RegExp, to: string) => () => PreparedRequest;
  /** A search whose VIHF says something else, well signed. */
  readonly say: (from: string | RegExp, to: string) => () => PreparedRequest;
  /** A publication whose signature document was changed in equal length, its hash with it. */
  readonly spoilSignature: (from: RegExp, to: string) => PreparedRequest;
}

export function workshop({ preparation }: DmpWorld): Workshop {
  const publication: Workshop['publication'] = (over = {}) =>
    prepareSubmission({ ...submission(), ...over }, preparation);
  const search = (): PreparedRequest => {
    const one = submission();
    return prepareSearch(one.entry.uniqueId, user, one.entry.patient, preparation);
  };
  return {
    publication,
    search,
    edit: (from, to) => () => edited(publication(), from, to),
    say: (from, to) => () => vihfEdited(search(), from, to, preparation.key),
    spoilSignature(from, to) {
      const one = publication();
      const [document = ''] = /<ds:Signature [^>]*Id="2\..*<\/ds:Signature>/s.exec(one.body.toString('latin1')) ?? [];
      const spoilt = document.replace(from, to);
      if (spoilt === document || spoilt.length !== document.length) throw new Error('not changed in equal length');
      return edited(edited(one, document, spoilt), sha1(document), sha1(spoilt));
    },
  };
}

function sha1(latin1: string): string {
  return createHash('sha1').update(Buffer.from(latin1, 'latin1')).digest('hex');
}
