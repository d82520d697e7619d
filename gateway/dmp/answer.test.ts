import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readAnswer } from './answer.ts';
import { judge, judgeStatus } from './judgement.ts';
import { AnswerUnreadable } from './multipart-answer.ts';

const OURS = 'urn:uuid:1';
const SOAP = 'application/soap+xml';
const STATUS = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:';

function envelope(body: string, relatesTo = OURS): string {
  return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:RelatesTo>${relatesTo}</a:RelatesTo></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}

function response(status: string, ...errors: readonly string[]): string {
  const list = errors
    .map((code) => `<r:RegistryError errorCode="${code}" codeContext="why" severity="urn:x:Error"/>`)
    .join('');
  return `<r:RegistryResponse xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="${STATUS}${status}"><r:RegistryErrorList>${list}</r:RegistryErrorList></r:RegistryResponse>`;
}

const read = (xml: string, contentType = SOAP): ReturnType<typeof readAnswer> =>
  readAnswer(contentType, Buffer.from(xml), OURS);

test('the error table: what each code becomes', () => {
  const table: readonly (readonly [string, string, string | undefined])[] = [
    ['XDSUnknownPatientId', 'refused', 'E006'],
    ['XDSRegistryMetadataError', 'refused', 'E007'],
    ['XDSRepositoryMetadataError', 'refused', 'E007'],
    ['XDSNonIdenticalHash', 'refused', 'E007'],
    ['XDSPatientIdDoesNotMatch', 'refused', 'E007'],
    ['XDSMissingDocument', 'refused', 'E007'],
    ['XDSMissingDocumentMetadata', 'refused', 'E007'],
    ['XDSRegistryDuplicateUniqueIdInMessage', 'refused', 'E007'],
    ['DMPSomethingWeDoNotKnow', 'refused', 'E007'],
    ['XDSRegistryBusy', 'unavailable', undefined],
    ['XDSRepositoryBusy', 'unavailable', undefined],
    ['XDSRegistryNotAvailable', 'unavailable', undefined],
    ['XDSRepositoryError', 'unavailable', undefined],
    ['XDSRegistryError', 'unavailable', undefined],
    ['XDSRegistryOutOfResources', 'unavailable', undefined],
    ['XDSDuplicateUniqueIdInRegistry', 'duplicate', undefined],
  ];
  for (const [code, kind, error] of table) {
    const judgement = judge(read(envelope(response('Failure', code))));
    assert.is(judgement.kind, kind, code);
    assert.is('code' in judgement ? judgement.code : undefined, error, code);
    if ('detail' in judgement) assert.match(judgement.detail, `${code}: why`);
  }
});

test('of several errors the one that decides, and all are told', () => {
  const both = judge(read(envelope(response('Failure', 'XDSRegistryBusy', 'XDSRegistryMetadataError'))));
  assert.is(both.kind, 'refused');
  assert.match('detail' in both ? both.detail : '', /Busy.*MetadataError/);
  const busy = judge(read(envelope(response('Failure', 'XDSDuplicateUniqueIdInRegistry', 'XDSRegistryBusy'))));
  assert.is(busy.kind, 'unavailable');
});

test('a success with an error inside is no success; a warning is', () => {
  assert.is(judge(read(envelope(response('Success', 'XDSRegistryMetadataError')))).kind, 'refused');
  assert.is(judge(read(envelope(response('Success')))).kind, 'done');
  const warned = response('Success', 'X').replace('urn:x:Error', 'urn:x:Warning');
  assert.is(judge(read(envelope(warned))).kind, 'done');
  assert.is(judge(read(envelope(response('Failure')))).kind, 'unavailable');
});

test('faults: Receiver may pass, Sender is definitive', () => {
  const fault = (role: string): string =>
    `<s:Fault><s:Code><s:Value>s:${role}</s:Value></s:Code><s:Reason><s:Text>no</s:Text></s:Reason></s:Fault>`;
  assert.is(judge(read(envelope(fault('Receiver')))).kind, 'unavailable');
  assert.equal(judge(read(envelope(fault('Sender'), 'urn:uuid:9'))), {
    kind: 'refused',
    code: 'E007',
    dmpCode: 'Sender',
    detail: 'Sender: no',
  });
});

test('an answer may be MTOM, its root anywhere among the parts', () => {
  const root = envelope(response('Success'));
  const body = `--b\r\nContent-ID: <other>\r\n\r\nnothing\r\n--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n${root}\r\n--b--\r\n`;
  const type = 'multipart/related; boundary="b"; start="<root>"; type="application/xop+xml"';
  assert.is(judge(read(body, type)).kind, 'done');
  assert.throws(
    () => read(body, type.replace('<root>', '<none>')),
    (error: unknown) => error instanceof AnswerUnreadable,
  );
});

test('what is no answer to us is not believed', () => {
  const good = envelope(response('Success'));
  const bad: readonly (readonly [string, RegExp])[] = [
    [envelope(response('Success'), 'urn:uuid:2'), /relates to urn:uuid:2/],
    [`<!DOCTYPE x [<!ENTITY e "y">]>${good}`, /DOCTYPE/],
    [good.slice(0, 200), /not XML/],
    ['<html/>', /not a SOAP/],
    [envelope('<x/>'), /no RegistryResponse/],
    ['', /not XML/],
  ];
  for (const [xml, why] of bad)
    assert.throws(
      () => read(xml),
      (error: unknown) => error instanceof AnswerUnreadable && why.test(error.message),
    );
});

test('a status without SOAP: 5xx passes, our own fault does not', () => {
  assert.is(judgeStatus(503, '').kind, 'unavailable');
  assert.is(judgeStatus(404, '').kind, 'unavailable');
  assert.is(judgeStatus(403, '').kind, 'refused');
});

test.run();
