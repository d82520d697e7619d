/** One request from reading to answer: who asks, what, and whether it may be. */
import type { X509Certificate } from 'node:crypto';
import * as answers from './answers.ts';
import type { HttpAnswer } from './answers.ts';
import { takeFault } from './faults.ts';
import { uri } from './names.ts';
import { checkPublication } from './publication.ts';
import { answerQuery } from './queries.ts';
import { RegistryRefusal, SoapFault } from './refusals.ts';
import type { Registry } from './registry.ts';
import { checkRemoval } from './removal.ts';
import { type HttpRequest, readSoap, type SoapRequest } from './soap.ts';
import type { Trust } from './trust.ts';
import { type Caller, checkVihf } from './vihf.ts';
import { children, descend, textOf } from './xml.ts';

export interface DeskDependencies {
  readonly directory: string;
  readonly registry: Registry;
  readonly trust: Trust;
  readonly repositoryUniqueId: string;
  readonly now: () => Date;
}

/** `cut`: the connection is to be dropped without answer. */
export type Served =
  | { readonly kind: 'answer'; readonly answer: HttpAnswer; readonly delayMs: number; readonly operation: string }
  | { readonly kind: 'cut'; readonly operation: string };

export async function serve(request: HttpRequest, client: X509Certificate, deps: DeskDependencies): Promise<Served> {
  let soap: SoapRequest;
  try {
    soap = readSoap(request, '');
  } catch (error) {
    if (!(error instanceof SoapFault)) throw error;
    return { kind: 'answer', answer: answers.fault(error, ''), delayMs: 0, operation: 'unreadable' };
  }
  const { operation } = soap;
  const trouble = takeFault(deps.directory, operation);
  if (trouble?.kind === 'drop-before') return { kind: 'cut', operation };
  const delayMs = trouble?.kind === 'slow' ? (trouble.delayMs ?? 1_000) : 0;
  const answer =
    trouble?.kind === 'unavailable'
      ? { status: 503, contentType: 'text/plain', body: Buffer.from('maintenance\n') }
      : await answered(soap, client, deps, troubleRefusal(trouble?.kind, operation));
  return trouble?.kind === 'drop-after' ? { kind: 'cut', operation } : { kind: 'answer', answer, delayMs, operation };
}

function troubleRefusal(kind: string | undefined, operation: string): RegistryRefusal | undefined {
  const side = operation === 'ITI-41' || operation === 'ITI-43' ? 'Repository' : 'Registry';
  if (kind === 'busy') return new RegistryRefusal(`XDS${side}Busy`, 'try again later');
  if (kind === 'failure-inside')
    return new RegistryRefusal(`XDS${side}MetadataError`, 'a failure asked for by the test');
  if (kind === 'unknown-patient') return new RegistryRefusal('XDSUnknownPatientId', 'the patient has no DMP');
  return undefined;
}

async function answered(
  soap: SoapRequest,
  client: X509Certificate,
  deps: DeskDependencies,
  trouble: RegistryRefusal | undefined,
): Promise<HttpAnswer> {
  const action = `${soap.action}Response`;
  try {
    const caller = await checkVihf(soap.assertion, client, deps.trust, deps.now());
    if (trouble !== undefined) throw trouble;
    return await handle(soap, action, caller, deps);
  } catch (error) {
    if (error instanceof SoapFault) return answers.fault(error, soap.messageId);
    if (error instanceof RegistryRefusal)
      return answers.refusal(action, soap.messageId, error, soap.operation === 'ITI-18');
    throw error;
  }
}

async function handle(soap: SoapRequest, action: string, caller: Caller, deps: DeskDependencies): Promise<HttpAnswer> {
  const { registry, trust, repositoryUniqueId } = deps;
  switch (soap.operation) {
    case 'ITI-41':
      (await checkPublication(soap, caller, registry, trust)).register();
      return answers.success(action, soap.messageId);
    case 'TD3.3c':
      checkRemoval(soap, caller, registry).register();
      return answers.success(action, soap.messageId);
    case 'ITI-18':
      return answers.found(action, soap.messageId, answerQuery(soap, caller, registry), repositoryUniqueId);
    case 'ITI-43':
      return answers.documents(action, soap.messageId, retrieved(soap, caller, deps), repositoryUniqueId);
    default:
      throw new SoapFault('wsa:ActionNotSupported', soap.action);
  }
}

function retrieved(soap: SoapRequest, caller: Caller, deps: DeskDependencies): readonly answers.Document[] {
  return children(soap.body, uri.xdsb, 'DocumentRequest').map((asked) => {
    const uniqueId = textOf(descend(asked, uri.xdsb, 'DocumentUniqueId'));
    const repository = textOf(descend(asked, uri.xdsb, 'RepositoryUniqueId'));
    if (repository !== deps.repositoryUniqueId)
      throw new RegistryRefusal('XDSUnknownRepositoryId', `repository ${repository} is not ours`);
    const entry = deps.registry.byUniqueId(uniqueId);
    if (entry === undefined || entry.patientId !== caller.patient || entry.status === 'deleted' || entry.hidden)
      throw new RegistryRefusal('XDSDocumentUniqueIdError', `document ${uniqueId} is not there`);
    return { uniqueId, mimeType: entry.mimeType, bytes: deps.registry.document(uniqueId) };
  });
}
