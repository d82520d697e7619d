/** What each error of the DMP means for us (ci-sis §6.8, annexe 7 of the DMP guide): the table decides, nothing else does. */

export type ErrorClass =
  /** Wrong for ever: E007. */
  | 'definitive'
  /** May pass later: the queue keeps it. */
  | 'technical'
  /** The patient has no DMP, or it is closed: E006. */
  | 'patient'
  /** The DMP holds a document with this uniqueId. */
  | 'duplicate';

const classes: Readonly<Record<string, ErrorClass>> = {
  XDSDuplicateUniqueIdInRegistry: 'duplicate',
  XDSUnknownPatientId: 'patient',
  XDSRegistryMetadataError: 'definitive',
  XDSRepositoryMetadataError: 'definitive',
  XDSRegistryDuplicateUniqueIdInMessage: 'definitive',
  XDSRepositoryDuplicateUniqueIdInMessage: 'definitive',
  XDSNonIdenticalHash: 'definitive',
  XDSPatientIdDoesNotMatch: 'definitive',
  XDSMissingDocument: 'definitive',
  XDSMissingDocumentMetadata: 'definitive',
  XDSRegistryDeprecatedDocumentError: 'definitive',
  XDSReplaceFailed: 'definitive',
  XDSUnknownStoredQuery: 'definitive',
  XDSStoredQueryMissingParam: 'definitive',
  XDSStoredQueryParamNumber: 'definitive',
  XDSTooManyResults: 'definitive',
  XDSRegistryBusy: 'technical',
  XDSRepositoryBusy: 'technical',
  XDSRegistryNotAvailable: 'technical',
  XDSRegistryError: 'technical',
  XDSRepositoryError: 'technical',
  XDSRegistryOutOfResources: 'technical',
  XDSRepositoryOutOfResources: 'technical',
};

/** A code we don't know speaks of our content until proven otherwise: retrying it for ever would hide it from everyone. */
export function classOf(errorCode: string): ErrorClass {
  return classes[errorCode] ?? 'definitive';
}

/** Of several errors the one that decides: what is wrong for ever outweighs what may pass. */
export const severest: readonly ErrorClass[] = ['patient', 'definitive', 'technical', 'duplicate'];

/** HTTP statuses without a SOAP body that say our request itself is refused; all others may pass. */
export const definitiveStatuses: ReadonlySet<number> = new Set([400, 401, 403, 405, 413, 415]);
