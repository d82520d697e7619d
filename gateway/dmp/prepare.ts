/** Whole HTTP requests to the DMP, ready to send. */
import type { SigningKey } from '../../common/signature/signing-key.ts';
import { signSubmission } from '../../common/signature/submission-signature.ts';
import type { Xml } from '../../common/signature/xml-writer.ts';
import type { InsIdentity, Uid } from '../domain.ts';
import { publicationBody, removalBody, searchBody } from './bodies.ts';
import { envelope } from './envelope.ts';
import { mtomMessage } from './mtom.ts';
import type { DmpUser, Removal, Submission } from './submission.ts';
import { type DmpSoftware, vihf } from './vihf.ts';
import { type Transaction, transactions } from './vocabulary.ts';

export interface PreparedRequest {
  readonly url: string;
  readonly action: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** wsa:MessageID; the answer's RelatesTo must be it. */
  readonly messageId: string;
}

export interface PrepareDependencies {
  /** SIGN certificate and key of the user's structure. */
  readonly key: SigningKey;
  readonly software: DmpSoftware;
  /** Base URL up to `/services`. */
  readonly url: string;
  readonly now: () => Date;
  readonly newUuid: () => string;
}

/** TD2.1, or TD2.1b when it replaces. @throws VihfImpossible, UnwritableText */
export function prepareSubmission(submission: Submission, deps: PrepareDependencies): PreparedRequest {
  const { entry, kos, user } = submission;
  const signature = signSubmission(
    {
      signatureId: submission.signatureId,
      submissionSetId: submission.uniqueId,
      documents: [{ uniqueId: entry.uniqueId, bytes: kos }],
      signingTime: deps.now(),
    },
    deps.key,
  );
  const soap = soapRequest('publish', publicationBody(submission, signature), user, entry.patient, deps);
  const { contentType, body } = mtomMessage(
    soap.body,
    { kos, signature },
    soap.action,
    `MIMEBoundary_${deps.newUuid()}`,
  );
  return { ...soap, contentType, body };
}

/** TD3.1b. @throws VihfImpossible, UnwritableText */
export function prepareSearch(
  uniqueId: Uid,
  user: DmpUser,
  patient: InsIdentity,
  deps: PrepareDependencies,
): PreparedRequest {
  return soapRequest('search', searchBody(uniqueId), user, patient, deps);
}

/** TD3.3c. @throws VihfImpossible, UnwritableText */
export function prepareRemoval(removal: Removal, deps: PrepareDependencies): PreparedRequest {
  return soapRequest('remove', removalBody(removal), removal.user, removal.patient, deps);
}

function soapRequest(
  transaction: Transaction,
  body: Xml,
  user: DmpUser,
  patient: InsIdentity,
  { key, software, url, now, newUuid }: PrepareDependencies,
): PreparedRequest {
  const { service, action } = transactions[transaction];
  const to = `${url.replace(/\/+$/, '')}/${service}`;
  const messageId = `urn:uuid:${newUuid()}`;
  const assertion = vihf({ user, patient, software, now: now(), uuid: newUuid() }, key);
  return {
    url: to,
    action,
    messageId,
    contentType: `application/soap+xml; charset=UTF-8; action="${action}"`,
    body: envelope({ action, to, messageId, assertion, body }),
  };
}
