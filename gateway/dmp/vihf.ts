/** VIHF 4.0: the SAML assertion that says who acts, for whom, in which structure (ci-sis §6.4, indirect mode). */
import { signAssertion } from '../../common/signature/saml.ts';
import { distinguishedName, type SigningKey } from '../../common/signature/signing-key.ts';
import { element, type Xml } from '../../common/signature/xml-writer.ts';
import type { InsIdentity, Professional } from '../domain.ts';
import { insCx } from './hl7-values.ts';
import type { DmpUser } from './submission.ts';
import { ns, normalConfidentiality, oids } from './vocabulary.ts';

export interface DmpSoftware {
  readonly name: string;
  readonly version: string;
  readonly homologationId: string;
}

export interface VihfInput {
  readonly user: DmpUser;
  readonly patient: InsIdentity;
  readonly software: DmpSoftware;
  readonly now: Date;
  readonly uuid: string;
}

/** The user can't be described as the VIHF wants it; refused before anything is sent. */
export class VihfImpossible extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VihfImpossible';
  }
}

/** Clocks of two parties differ; an assertion that leaks is worthless after this. */
const BEFORE_MS = 5 * 60_000;
const AFTER_MS = 10 * 60_000;
/** How the physician logged on to the RIS is not told in the report (ci-sis §6.4). */
const AUTHENTICATION_CONTEXT = 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified';
/** Professions of TRE_G15 whose second role is mandatory. */
const PROFESSIONS: Readonly<Record<string, string>> = { '10': 'Médecin', '21': 'Pharmacien' };

/** @throws VihfImpossible naming the datum. */
export function vihf(input: VihfInput, key: SigningKey): Xml {
  const id = `_${input.uuid}`;
  const { user, now } = input;
  const attributes = attributesOf(input);
  return signAssertion(
    (signature) =>
      element(
        'saml2:Assertion',
        { 'xmlns:saml2': ns.saml, Version: '2.0', ID: id, IssueInstant: now.toISOString() },
        element(
          'saml2:Issuer',
          { Format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName' },
          distinguishedName(key.certificate.subject),
        ),
        signature,
        element('saml2:Subject', {}, element('saml2:NameID', {}, user.professional.id)),
        element('saml2:Conditions', {
          NotBefore: new Date(now.getTime() - BEFORE_MS).toISOString(),
          NotOnOrAfter: new Date(now.getTime() + AFTER_MS).toISOString(),
        }),
        element(
          'saml2:AuthnStatement',
          { AuthnInstant: user.authenticatedAt },
          element('saml2:AuthnContext', {}, element('saml2:AuthnContextClassRef', {}, AUTHENTICATION_CONTEXT)),
        ),
        element('saml2:AttributeStatement', {}, attributes),
      ),
    id,
    key,
  );
}

function attributesOf({ user, patient, software }: VihfInput): readonly Xml[] {
  const { professional } = user;
  return [
    attribute('VIHF_Version', '4.0'),
    attribute('Authentification_Mode', 'INDIRECTE'),
    attribute('Identifiant_Structure', professional.organization.id),
    attribute('Secteur_Activite', `${user.sector}^${oids.sectors}`),
    attribute('urn:oasis:names:tc:xspa:1.0:subject:subject-id', `${professional.family} ${professional.given}`),
    attribute('urn:oasis:names:tc:xacml:2.0:subject:role', ...rolesOf(professional)),
    attribute('urn:oasis:names:tc:xacml:2.0:resource:resource-id', insCx(patient)),
    attribute('Ressource_URN', 'urn:dmp'),
    attribute(
      'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
      coded('PurposeOfUse', 'normal', oids.accessModes, 'mode acces VIHF 1.0', 'Accès normal'),
    ),
    ...(user.secretConnection
      ? [attribute('urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code', normalConfidentiality.code)]
      : []),
    attribute('LPS_Nom', software.name),
    attribute('LPS_Version', software.version),
    attribute('LPS_ID_HOMOLOGATION_DMP', software.homologationId),
  ];
}

/** `G15_10/SM44` is profession 10, skill SM44; a physician and a pharmacist must have both. */
function rolesOf({ id, specialty }: Professional): readonly Xml[] {
  const [, profession, skill] = /^G15_(\d+)(?:\/(\w+))?$/.exec(specialty?.code ?? '') ?? [];
  if (profession === undefined)
    throw new VihfImpossible(
      `legalAuthenticator ${id}: assignedEntity/code ${specialty?.code ?? 'is absent'}; a profession such as G15_10/SM44 is needed for the role in the VIHF`,
    );
  const label = PROFESSIONS[profession];
  if (label !== undefined && skill === undefined)
    throw new VihfImpossible(
      `legalAuthenticator ${id}: ${specialty?.code ?? ''} has no skill (SMxx), required of a ${label}`,
    );
  const name = specialty?.label ?? '';
  return [
    coded('Role', profession, oids.professions, 'G15', label ?? name),
    ...(skill === undefined ? [] : [coded('Role', skill, oids.skills, 'R01', name)]),
  ];
}

function coded(name: string, code: string, codeSystem: string, codeSystemName: string, displayName: string): Xml {
  return element(name, {
    xmlns: ns.hl7,
    'xmlns:xsi': ns.xsi,
    'xsi:type': 'CE',
    code,
    codeSystem,
    codeSystemName,
    displayName,
  });
}

function attribute(name: string, ...values: readonly (string | Xml)[]): Xml {
  return element(
    'saml2:Attribute',
    { Name: name },
    values.map((value) => element('saml2:AttributeValue', {}, value)),
  );
}
