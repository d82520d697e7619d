/** Real parts for the tests of this room: a PKI, a DMP, submissions of real KOS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { DmpConfig } from '../../common/contract/gateway-config.ts';
import { readSigningKey, type SigningKey } from '../../common/signature/signing-key.ts';
import { type DmpSimulator, type DmpSimulatorConfig, startDmp } from '../../e2e/parts/dmp.ts';
import { type InventedPatient, patients } from '../../e2e/parts/patients.ts';
import { createPki, type Issued, type Pki } from '../../e2e/parts/pki.ts';
import type { InsIdentity, Professional, Uid } from '../domain.ts';
import { encodeKos } from '../manifest/encode.ts';
import { kosInput, uid } from '../manifest/sample.fixture.ts';
import { buildKos } from '../manifest/build.ts';
import { contentType, kosEntry } from '../manifest/xds-entry.ts';
import type { PrepareDependencies } from './prepare.ts';
import type { DmpUser, Removal, Submission } from './submission.ts';

export const STRUCTURE = '1999999999';

export interface DmpWorld {
  readonly directory: string;
  readonly pki: Pki;
  readonly dmp: DmpSimulator;
  readonly dmpConfig: DmpSimulatorConfig;
  readonly authentication: Issued;
  readonly signature: Issued;
  readonly config: DmpConfig;
  readonly signing: SigningKey;
  readonly preparation: PrepareDependencies;
  close(): Promise<void>;
}

export async function dmpWorld(): Promise<DmpWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'dmp-'));
  const pki = await createPki(join(directory, 'pki'));
  const server = await pki.issue({ commonName: 'localhost', organizationalUnit: '0DMP', kind: 'SERV_SSL' });
  const one = { commonName: 'CABINET ESSAI', organizationalUnit: STRUCTURE } as const;
  const authentication = await pki.issue({ ...one, kind: 'AUTH_CLI' });
  const signature = await pki.issue({ ...one, kind: 'SIGN' });
  const dmpConfig = {
    directory: join(directory, 'dmp'),
    certificateFile: server.certificateFile,
    keyFile: server.keyFile,
    clientCaFile: pki.bundleFile,
    crlFile: pki.crlBundleFile,
  };
  const dmp = await startDmp(dmpConfig);
  const config: DmpConfig = {
    url: dmp.url,
    trustFile: pki.bundleFile,
    structures: [{ structureId: STRUCTURE, authentication: files(authentication), signature: files(signature) }],
    software: { name: 'drimbox', version: '0.1.0', homologationId: 'DRM-TEST-001' },
    timeoutMs: 5_000,
    retry: { initialMs: 100, maximumMs: 1_000 },
  };
  const signing = readSigningKey(signature.chainPem, signature.keyPem);
  return {
    directory,
    pki,
    dmp,
    dmpConfig,
    authentication,
    signature,
    config,
    signing,
    preparation: { key: signing, software: config.software, url: dmp.url, now: () => new Date(), newUuid: randomUUID },
    async close() {
      await dmp.close();
      rmSync(directory, { recursive: true });
    },
  };
}

export function files({ certificateFile, keyFile }: Issued): { certificateFile: string; keyFile: string } {
  return { certificateFile, keyFile };
}

export const professional: Professional = {
  id: '899999999901',
  family: 'MODELE',
  given: 'Zoé',
  specialty: { code: 'G15_10/SM44', system: '1.2.250.1.213.1.1.4.5', label: 'Médecin - Radio-diagnostic (SM)' },
  role: 'Radiologue',
  organization: { id: STRUCTURE, name: 'Cabinet d’essai de la Côte' },
};

export const user: DmpUser = {
  professional,
  sector: 'SA08',
  secretConnection: false,
  authenticatedAt: '2026-07-01T20:00:00.000Z',
};

export function newUid(): Uid {
  return uid(`2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`);
}

export function identity(patient: InventedPatient): InsIdentity {
  const { ipp, ...traits } = patient;
  return ipp === '' ? patient : traits;
}

export interface SubmissionOver {
  readonly patient?: InsIdentity;
  readonly professional?: Professional;
  readonly replaces?: string;
}

/** A submission of a fresh KOS of the same study. */
export function submission(over: SubmissionOver = {}): Submission {
  const patient = over.patient ?? identity(patients.marie);
  const input = kosInput({ newUid, now: new Date() });
  const kos = buildKos({ ...input, report: { ...input.report, patient } });
  const who = over.professional ?? professional;
  return {
    uniqueId: newUid(),
    signatureId: newUid(),
    submissionTime: new Date().toISOString().replaceAll(/[-:T]|\..*/g, ''),
    sourceId: uid('1.2.250.1.999.1.1.8121'),
    contentType: contentType('O'),
    entry: kosEntry({
      report: {
        patient,
        localPatientId: { value: 'IPP0001', authority: '1.2.250.1.213.4.5.2.7' },
        author: who,
        legalAuthenticator: who,
        document: {
          confidentiality: { code: 'N', system: '2.16.840.1.113883.5.25', label: 'Normal' },
          language: 'fr-FR',
        },
        visibility: {
          maskedFromProfessionals: true,
          invisibleToPatient: true,
          invisibleToLegalRepresentatives: false,
        },
        patientClass: 'O',
      },
      study: { ...input.study, start: '20260310090000+0100', stop: '20260310091500+0100' },
      kos,
      timeZone: 'Europe/Paris',
    }),
    kos: encodeKos(kos).bytes,
    ...(over.replaces !== undefined && { replaces: over.replaces }),
    user: { ...user, professional: who },
  };
}

export function removalOf(
  { entry, user, sourceId, contentType, submissionTime }: Submission,
  entryUuid: string,
): Removal {
  return { uniqueId: newUid(), submissionTime, sourceId, contentType, entryUuid, patient: entry.patient, user };
}
