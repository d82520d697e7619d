/** SOAP 1.2 envelope with WS-Addressing and the VIHF (ci-sis §6.2). */
import { element, type Xml } from '../../common/signature/xml-writer.ts';
import { ns } from './vocabulary.ts';

export interface EnvelopeInput {
  readonly action: string;
  /** Service URL. */
  readonly to: string;
  /** urn:uuid:… */
  readonly messageId: string;
  readonly assertion: Xml;
  readonly body: Xml;
}

/** @returns UTF-8 with XML declaration. */
export function envelope({ action, to, messageId, assertion, body }: EnvelopeInput): Buffer {
  const xml = element(
    'soap:Envelope',
    { 'xmlns:soap': ns.soap },
    element(
      'soap:Header',
      { 'xmlns:wsa': ns.wsa },
      element('wsa:Action', { 'soap:mustUnderstand': 'true' }, action),
      element('wsa:MessageID', {}, messageId),
      element('wsa:To', {}, to),
      element('wsse:Security', { 'xmlns:wsse': ns.wsse }, assertion),
    ),
    element('soap:Body', {}, body),
  );
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${xml.text}`, 'utf8');
}
