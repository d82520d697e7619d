/** VIHF 4.0, indirect mode, as the DMP checks it (ci-sis §6.4). */
import type { X509Certificate } from 'node:crypto';
import { uri } from './names.ts';
import { security } from './refusals.ts';
import { structureOf, type Trust } from './trust.ts';
import { children, descend, type Element, textOf, writeXml } from './xml.ts';
import { verifySignature } from './xml-signature.ts';

export interface Caller {
  readonly structure: string;
  readonly professional: string;
  /** CX of the INS. */
  readonly patient: string;
}

const skewMs = 10 * 60_000;
const insCx = /^[0-9A-Z]{15}\^\^\^&1\.2\.250\.1\.213\.1\.4\.(8|9|10|11)&ISO\^NH$/;
const sectorValue = /^SA\d\d\^1\.2\.250\.1\.71\.4\.2\.4$/;
const needsSkill = new Set(['10', '21']);

/** @param tls the client's certificate. @throws SoapFault wsse:InvalidSecurity saying why. */
export async function checkVihf(assertion: Element, tls: X509Certificate, trust: Trust, now: Date): Promise<Caller> {
  const { signer, references } = await verifySignature(writeXml(assertion), 'VIHF');
  const id = assertion.getAttribute('ID') ?? '';
  security(/^[A-Za-z_]/.test(id) && assertion.getAttribute('Version') === '2.0', 'VIHF: ID and Version 2.0 are needed');
  security(references.length === 1 && references[0] === `#${id}`, 'VIHF: the signature is not of this assertion');
  trust.checkSigner(signer, 'VIHF');
  checkIssuer(assertion, signer);
  checkTimes(assertion, now);
  const professional = textOf(descend(assertion, uri.saml, 'Subject', 'NameID'));
  security(/^[08]\d{8,11}$/.test(professional), `VIHF: NameID ${professional} is no PS_IdNat`);
  const attributes = attributesOf(assertion);
  const patient = checkAttributes(attributes);
  const structure = textOf(attributes.get('Identifiant_Structure')?.[0]);
  security(structure !== '', 'VIHF: Identifiant_Structure is missing');
  security(
    structureOf(signer) === structure,
    `VIHF: signed by structure ${structureOf(signer)}, speaks for ${structure}`,
  );
  security(
    structureOf(tls) === structure,
    `VIHF: Identifiant_Structure ${structure} is not the structure of the certificate ${structureOf(tls)}`,
  );
  return { structure, professional, patient };
}

function checkIssuer(assertion: Element, signer: X509Certificate): void {
  const issuer = descend(assertion, uri.saml, 'Issuer');
  security(
    issuer?.getAttribute('Format') === 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName',
    'VIHF: Issuer/@Format is not X509SubjectName',
  );
  const parts = (text: string, separator: RegExp): string => text.split(separator).toSorted().join('\n');
  security(
    parts(textOf(issuer), /,\s*/) === parts(signer.subject, /\n/),
    'VIHF: Issuer is not the name of the signing certificate',
  );
}

function checkTimes(assertion: Element, now: Date): void {
  const at = (value: string | null | undefined): number => (value ? Date.parse(value) : Number.NaN);
  const issued = at(assertion.getAttribute('IssueInstant'));
  security(Math.abs(issued - now.getTime()) <= skewMs, 'VIHF: IssueInstant is missing or too far from now');
  const conditions = descend(assertion, uri.saml, 'Conditions');
  if (conditions !== undefined) {
    const [from, to] = [at(conditions.getAttribute('NotBefore')), at(conditions.getAttribute('NotOnOrAfter'))];
    security(!(from > now.getTime() || to <= now.getTime()), 'VIHF: expired, or not valid yet');
    security(children(conditions).length === 0, 'VIHF: AudienceRestriction is not taken');
  }
  const authentication = descend(assertion, uri.saml, 'AuthnStatement');
  security(
    at(authentication?.getAttribute('AuthnInstant')) <= now.getTime() + skewMs,
    'VIHF: AuthnInstant is missing or in the future',
  );
  const context = authentication && descend(authentication, uri.saml, 'AuthnContext', 'AuthnContextClassRef');
  security(
    textOf(context).startsWith('urn:oasis:names:tc:SAML:2.0:ac:classes:'),
    'VIHF: AuthnContextClassRef is missing',
  );
}

function attributesOf(assertion: Element): ReadonlyMap<string, readonly Element[]> {
  const statement = descend(assertion, uri.saml, 'AttributeStatement');
  return new Map(
    (statement === undefined ? [] : children(statement, uri.saml, 'Attribute')).map(
      (attribute) => [attribute.getAttribute('Name') ?? '', children(attribute, uri.saml, 'AttributeValue')] as const,
    ),
  );
}

function checkAttributes(attributes: ReadonlyMap<string, readonly Element[]>): string {
  const value = (name: string): string => {
    const text = textOf(attributes.get(name)?.[0]);
    security(text !== '', `VIHF: attribute ${name} is missing`);
    return text;
  };
  security(value('VIHF_Version') === '4.0', 'VIHF: VIHF_Version is not 4.0');
  security(value('Authentification_Mode') === 'INDIRECTE', 'VIHF: Authentification_Mode is not INDIRECTE');
  security(sectorValue.test(value('Secteur_Activite')), 'VIHF: Secteur_Activite is not SAxx^1.2.250.1.71.4.2.4');
  security(value('Ressource_URN') === 'urn:dmp', 'VIHF: Ressource_URN is not urn:dmp');
  for (const name of [
    'urn:oasis:names:tc:xspa:1.0:subject:subject-id',
    'LPS_Nom',
    'LPS_Version',
    'LPS_ID_HOMOLOGATION_DMP',
  ])
    value(name);
  checkRoles(coded(attributes, 'urn:oasis:names:tc:xacml:2.0:subject:role', 'Role'));
  const [purpose] = coded(attributes, 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', 'PurposeOfUse');
  security(
    purpose?.code === 'normal' && purpose.codeSystem === '1.2.250.1.213.1.1.4.248',
    'VIHF: purposeofuse is not normal of 1.2.250.1.213.1.1.4.248',
  );
  const patient = value('urn:oasis:names:tc:xacml:2.0:resource:resource-id');
  security(insCx.test(patient), `VIHF: resource-id ${patient} is no INS`);
  return patient;
}

interface Coded {
  readonly code: string;
  readonly codeSystem: string;
}

function coded(attributes: ReadonlyMap<string, readonly Element[]>, name: string, element: string): readonly Coded[] {
  return (attributes.get(name) ?? []).flatMap((value) =>
    children(value, uri.hl7, element).map((one) => ({
      code: one.getAttribute('code') ?? '',
      codeSystem: one.getAttribute('codeSystem') ?? '',
    })),
  );
}

function checkRoles([profession, skill]: readonly Coded[]): void {
  security(
    profession?.codeSystem === '1.2.250.1.71.1.2.7',
    'VIHF: the first role is no profession of 1.2.250.1.71.1.2.7',
  );
  security(
    !needsSkill.has(profession.code) || skill?.codeSystem === '1.2.250.1.71.4.2.5',
    `VIHF: profession ${profession.code} needs a second role, a skill of 1.2.250.1.71.4.2.5`,
  );
}
