/** Answers of the simulated DMP: SOAP 1.2, or MTOM when a document goes with it. */
import { randomUUID } from 'node:crypto';
import { statusName, uri } from './names.ts';
import type { RegistryRefusal, SoapFault } from './refusals.ts';
import type { Found } from './queries.ts';
import type { DmpEntry } from './registry.ts';
import { children, escapeXml, parseXml, rootOf, writeXml } from './xml.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

export interface Document {
  readonly uniqueId: string;
  readonly mimeType: string;
  readonly bytes: Buffer;
}

const SUCCESS = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success';
const FAILURE = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure';

export function success(action: string, relatesTo: string): HttpAnswer {
  return soap(action, relatesTo, registryResponse(undefined));
}

/** Refusals of the content come with HTTP 200 and the failure inside. */
export function refusal(action: string, relatesTo: string, why: RegistryRefusal, query: boolean): HttpAnswer {
  return soap(action, relatesTo, query ? queryResponse(why, '') : registryResponse(why));
}

export function found(
  action: string,
  relatesTo: string,
  { entries, leafClass }: Found,
  repository: string,
): HttpAnswer {
  const objects = entries.map((entry) =>
    leafClass ? leaf(entry, repository) : `<rim:ObjectRef id="${escapeXml(entry.entryUuid)}"/>`,
  );
  return soap(action, relatesTo, queryResponse(undefined, objects.join('')));
}

export function documents(action: string, relatesTo: string, all: readonly Document[], repository: string): HttpAnswer {
  const responses = all.map(
    ({ uniqueId, mimeType }, index) =>
      `<xdsb:DocumentResponse><xdsb:RepositoryUniqueId>${repository}</xdsb:RepositoryUniqueId><xdsb:DocumentUniqueId>${escapeXml(uniqueId)}</xdsb:DocumentUniqueId><xdsb:mimeType>${escapeXml(mimeType)}</xdsb:mimeType><xdsb:Document><xop:Include xmlns:xop="${uri.xop}" href="cid:document${index}"/></xdsb:Document></xdsb:DocumentResponse>`,
  );
  const body = `<xdsb:RetrieveDocumentSetResponse xmlns:xdsb="${uri.xdsb}">${registryResponse(undefined)}${responses.join('')}</xdsb:RetrieveDocumentSetResponse>`;
  const root = soap(action, relatesTo, body).body;
  const boundary = `uuid_${randomUUID()}`;
  const part = (type: string, id: string, bytes: Buffer): readonly Buffer[] => [
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}>\r\n\r\n`,
    ),
    bytes,
  ];
  return {
    status: 200,
    contentType: `multipart/related; type="application/xop+xml"; boundary="${boundary}"; start="<root>"; start-info="application/soap+xml"`,
    body: Buffer.concat([
      ...part('application/xop+xml; charset=UTF-8; type="application/soap+xml"', 'root', root),
      ...all.flatMap(({ mimeType, bytes }, index) => part(mimeType, `document${index}`, bytes)),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}

/** SOAP 1.2 Part 2 §7.5.2.2: Sender is 400, Receiver 500. */
export function fault(why: SoapFault, relatesTo: string): HttpAnswer {
  const [prefix = '', name = ''] = why.subcode.split(':');
  const namespace = prefix === 'wsse' ? uri.security : prefix === 'wsa' ? uri.addressing : 'urn:dmp:fault';
  const body = `<soap:Fault><soap:Code><soap:Value>soap:${why.role}</soap:Value><soap:Subcode><soap:Value xmlns:${prefix}="${namespace}">${prefix}:${name}</soap:Value></soap:Subcode></soap:Code><soap:Reason><soap:Text xml:lang="fr">${escapeXml(why.message)}</soap:Text></soap:Reason></soap:Fault>`;
  return { ...soap(`${uri.addressing}/soap/fault`, relatesTo, body), status: why.role === 'Sender' ? 400 : 500 };
}

function soap(action: string, relatesTo: string, body: string): HttpAnswer {
  const related = relatesTo === '' ? '' : `<wsa:RelatesTo>${escapeXml(relatesTo)}</wsa:RelatesTo>`;
  return {
    status: 200,
    contentType: 'application/soap+xml; charset=UTF-8',
    body: Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="${uri.soap}"><soap:Header xmlns:wsa="${uri.addressing}"><wsa:Action soap:mustUnderstand="true">${escapeXml(action)}</wsa:Action><wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>${related}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`,
    ),
  };
}

function registryResponse(why: RegistryRefusal | undefined): string {
  return `<rs:RegistryResponse xmlns:rs="${uri.rs}" status="${why === undefined ? SUCCESS : FAILURE}">${errors(why)}</rs:RegistryResponse>`;
}

function queryResponse(why: RegistryRefusal | undefined, objects: string): string {
  return `<query:AdhocQueryResponse xmlns:query="${uri.query}" xmlns:rs="${uri.rs}" xmlns:rim="${uri.rim}" status="${why === undefined ? SUCCESS : FAILURE}">${errors(why)}<rim:RegistryObjectList>${objects}</rim:RegistryObjectList></query:AdhocQueryResponse>`;
}

function errors(why: RegistryRefusal | undefined): string {
  return why === undefined
    ? ''
    : `<rs:RegistryErrorList><rs:RegistryError errorCode="${escapeXml(why.errorCode)}" codeContext="${escapeXml(why.message)}" location="" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"/></rs:RegistryErrorList>`;
}

/** The entry as submitted, with what a registry adds: entryUUID, status, repository. */
function leaf(entry: DmpEntry, repository: string): string {
  const document = parseXml(entry.xml);
  const root = rootOf(document);
  const given = root.getAttribute('id') ?? '';
  for (const child of children(root)) {
    if (child.getAttribute('classifiedObject') === given) child.setAttribute('classifiedObject', entry.entryUuid);
    if (child.getAttribute('registryObject') === given) child.setAttribute('registryObject', entry.entryUuid);
  }
  root.setAttribute('id', entry.entryUuid);
  root.setAttribute('lid', entry.entryUuid);
  root.setAttribute('status', statusName[entry.status]);
  const slot = rootOf(
    parseXml(
      `<rim:Slot xmlns:rim="${uri.rim}" name="repositoryUniqueId"><rim:ValueList><rim:Value>${repository}</rim:Value></rim:ValueList></rim:Slot>`,
    ),
  );
  root.insertBefore(document.importNode(slot, true), root.firstChild);
  return writeXml(root);
}
