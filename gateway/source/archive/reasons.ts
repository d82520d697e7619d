/** Why the archive can't be used: reasons of the condition `ArchiveReady`. What to do about each is in docs/operations.md. */
export const archiveReasons = [
  /** The SQLite thread ended. */
  'Broken',
  'Starting',
  'Unreachable',
  'HostNotFound',
  'ConnectionRefused',
  'ServerNotReady',
  'TlsNotOffered',
  'CertificateNotTrusted',
  'ServerNameMismatch',
  'PasswordRefused',
  'DatabaseMissing',
  'PermissionDenied',
  'TooManyConnections',
  'ReadOnlyServer',
  'ServerTooOld',
  'DiskFull',
  'FileUnreadable',
  /** Its tables were made by a newer version. */
  'SchemaNewer',
  /** It holds the archive of another site. */
  'OtherSite',
] as const;

export type ArchiveReason = (typeof archiveReasons)[number];
