/** An answer of the DMP as plain data: registry response, query response or SOAP fault (ci-sis §6.8). */
import { ParseOption, XmlDocument, XmlElement, XmlLibError } from 'libxml2-wasm';
import { AnswerUnreadable, rootPart } from './multipart-answer.ts';
import { ns } from './vocabulary.ts';

export interface RegistryError {
  readonly code: string;
  readonly context: string;
}

export type Answer =
  | {
      readonly kind: 'response';
      readonly success: boolean;
      readonly errors: readonly RegistryError[];
      /** Ids of the ObjectRef or ExtrinsicObject of a query. */
      readonly objects: readonly string[];
    }
  | { readonly kind: 'fault'; readonly receiver: boolean; readonly code: string; readonly reason: string };

const SUCCESS = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success';
const OPTIONS = (ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE) as ParseOption;
const prefixes = { s: ns.soap, a: ns.wsa, rs: ns.rs, rim: ns.rim, q: ns.query };

/**
 * @param messageId ours: an answer to another message is not believed (WS-Addressing RelatesTo).
 * @throws AnswerUnreadable when it is no SOAP 1.2 answer to that message.
 */
export function readAnswer(contentType: string, body: Buffer, messageId: string): Answer {
  const xml = rootPart(contentType, body).toString('utf8');
  if (/<!DOCTYPE/i.test(xml)) throw new AnswerUnreadable('the answer has a DOCTYPE');
  const document = parse(xml);
  try {
    const { root } = document;
    if (root.name !== 'Envelope' || root.namespaceUri !== ns.soap)
      throw new AnswerUnreadable(`the answer is ${root.name}, not a SOAP 1.2 envelope`);
    const fault = root.get('s:Body/s:Fault', prefixes);
    // a fault may come from before the message was understood, then it relates to nothing
    if (fault instanceof XmlElement) return faultOf(fault);
    const relatesTo = text(root, 's:Header/a:RelatesTo');
    if (relatesTo !== messageId)
      throw new AnswerUnreadable(
        `the answer relates to ${relatesTo === '' ? 'no message' : relatesTo}, we sent ${messageId}`,
      );
    return responseOf(root);
  } finally {
    document.dispose();
  }
}

function parse(xml: string): XmlDocument {
  try {
    return XmlDocument.fromString(xml, { option: OPTIONS });
  } catch (error) {
    if (error instanceof XmlLibError)
      throw new AnswerUnreadable(`the answer is not XML: ${error.message.trim().slice(0, 120)}`, { cause: error });
    throw error;
  }
}

function faultOf(fault: XmlElement): Answer {
  const value = text(fault, 's:Code/s:Value');
  const subcode = text(fault, 's:Code/s:Subcode/s:Value');
  const local = (name: string): string => name.slice(name.indexOf(':') + 1);
  return {
    kind: 'fault',
    receiver: local(value) === 'Receiver',
    code: local(subcode === '' ? value : subcode),
    reason: text(fault, 's:Reason/s:Text'),
  };
}

function responseOf(root: XmlElement): Answer {
  const response = root.get('s:Body/rs:RegistryResponse | s:Body/q:AdhocQueryResponse', prefixes);
  if (!(response instanceof XmlElement)) throw new AnswerUnreadable('the answer holds no RegistryResponse');
  const errors = elements(response, 'rs:RegistryErrorList/rs:RegistryError')
    .filter((error) => !attribute(error, 'severity').endsWith(':Warning'))
    .map((error) => ({ code: attribute(error, 'errorCode'), context: attribute(error, 'codeContext') }));
  return {
    kind: 'response',
    success: attribute(response, 'status') === SUCCESS,
    errors,
    objects: elements(
      response,
      'rim:RegistryObjectList/rim:ObjectRef | rim:RegistryObjectList/rim:ExtrinsicObject',
    ).map((object) => attribute(object, 'id')),
  };
}

function elements(node: XmlElement, xpath: string): readonly XmlElement[] {
  return node.find(xpath, prefixes).filter((found) => found instanceof XmlElement);
}

function attribute(node: XmlElement, name: string): string {
  return node.attr(name)?.value ?? '';
}

function text(node: XmlElement, xpath: string): string {
  return node.get(xpath, prefixes)?.content.trim() ?? '';
}
