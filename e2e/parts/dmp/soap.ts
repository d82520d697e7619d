/** The SOAP 1.2 envelope with its WS-Addressing headers, as demanded (ci-sis §6.2). */
import { operations, type Operation, uri } from './names.ts';
import { type MtomRequest, parameterOf, readMtom } from './mtom.ts';
import { SoapFault } from './refusals.ts';
import { children, descend, type Element, parseXml, rootOf, textOf } from './xml.ts';

export interface SoapRequest {
  readonly operation: Operation;
  readonly action: string;
  readonly messageId: string;
  readonly assertion: Element;
  /** The one child of Body. */
  readonly body: Element;
  /** Documents by Content-ID; none in a plain SOAP request. */
  readonly mtom: MtomRequest | undefined;
}

const bodyName: Readonly<Record<Operation, readonly [namespace: string, name: string]>> = {
  'ITI-41': [uri.xdsb, 'ProvideAndRegisterDocumentSetRequest'],
  'ITI-43': [uri.xdsb, 'RetrieveDocumentSetRequest'],
  'ITI-18': [uri.query, 'AdhocQueryRequest'],
  'TD3.3c': [uri.lcm, 'SubmitObjectsRequest'],
};

function demand(holds: boolean, subcode: string, reason: string): asserts holds {
  if (!holds) throw new SoapFault(subcode, reason);
}

export interface HttpRequest {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** @param base URL of the services as the client knows it. @throws SoapFault */
export function readSoap({ path, contentType, body }: HttpRequest, base: string): SoapRequest {
  const multipart = /^multipart\//i.test(contentType);
  const mtom = multipart ? readMtom(contentType, body, parameterOf(contentType, 'action')) : undefined;
  demand(
    multipart || /^application\/soap\+xml\b/i.test(contentType),
    'soap:MediaType',
    `${contentType} is not application/soap+xml`,
  );
  const envelope = parsed((mtom?.root ?? body).toString('utf8'));
  demand(
    envelope.localName === 'Envelope' && envelope.namespaceURI === uri.soap,
    'soap:VersionMismatch',
    'the root is not a SOAP 1.2 Envelope',
  );
  const header = descend(envelope, uri.soap, 'Header');
  demand(header !== undefined, 'soap:Header', 'no Header');
  const { action, messageId } = addressing(header, base, path);
  const known = operations[action];
  demand(known !== undefined, 'wsa:ActionNotSupported', `${action} is no action of the DMP`);
  demand(path.endsWith(`/${known.service}`), 'wsa:ActionNotSupported', `${action} is not for ${path}`);
  if (multipart)
    demand(
      parameterOf(contentType, 'action') === action,
      'wsa:ActionMismatch',
      'action of Content-Type is not wsa:Action',
    );
  demand(
    (known.operation === 'ITI-41') === multipart,
    'mtom:Malformed',
    `${known.operation} ${multipart ? 'is plain SOAP' : 'needs MTOM'}`,
  );
  const assertion = securityHeader(header);
  const [content, ...others] = children(descend(envelope, uri.soap, 'Body') ?? envelope);
  const [namespace, name] = bodyName[known.operation];
  demand(
    content !== undefined && others.length === 0 && content.localName === name && content.namespaceURI === namespace,
    'soap:Body',
    `the body is not one ${name} of ${namespace}`,
  );
  return { operation: known.operation, action, messageId, assertion, body: content, mtom };
}

function parsed(text: string): Element {
  try {
    return rootOf(parseXml(text));
  } catch (error) {
    throw new SoapFault('soap:Malformed', error instanceof Error ? error.message : String(error));
  }
}

function addressing(header: Element, base: string, path: string): { action: string; messageId: string } {
  const one = (name: string): Element => {
    const found = children(header, uri.addressing, name);
    const [only] = found;
    demand(
      only !== undefined && found.length === 1,
      'wsa:MessageAddressingHeaderRequired',
      `wsa:${name} must be there once`,
    );
    return only;
  };
  const action = one('Action');
  demand(
    ['true', '1'].includes(action.getAttributeNS(uri.soap, 'mustUnderstand') ?? ''),
    'wsa:InvalidAddressingHeader',
    'wsa:Action is not mustUnderstand',
  );
  const messageId = textOf(one('MessageID'));
  demand(
    /^urn:uuid:[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(messageId),
    'wsa:InvalidAddressingHeader',
    `wsa:MessageID ${messageId} is not urn:uuid`,
  );
  const to = textOf(one('To'));
  demand(
    to.endsWith(path) && (base === '' || to.startsWith(base)),
    'wsa:DestinationUnreachable',
    `wsa:To ${to} is not the service asked`,
  );
  return { action: textOf(action), messageId };
}

function securityHeader(header: Element): Element {
  const assertions = children(descend(header, uri.security, 'Security') ?? header, uri.saml, 'Assertion');
  const [assertion] = assertions;
  demand(
    assertion !== undefined && assertions.length === 1,
    'wsse:InvalidSecurity',
    'no VIHF: one saml2:Assertion is wanted',
  );
  return assertion;
}
