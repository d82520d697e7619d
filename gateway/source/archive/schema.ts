/**
 * The local archive (DB.SO.22, DB0 annexe F): inbox, reports, KOS with lineage, publication jobs, audit, statistics.
 * Only ever append a migration: `PRAGMA user_version` counts how many a file has seen. Times are RFC 3339 UTC.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- RIS + MSH-10 + SHA-256 of the bytes: a message sent again because its ACK was lost is the same message
    fingerprint TEXT NOT NULL UNIQUE,
    control_id TEXT NOT NULL,
    ris TEXT NOT NULL,
    remote TEXT NOT NULL,
    received_at TEXT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'processed', 'incomplete'))
  ) STRICT;
  CREATE INDEX inbox_state ON inbox (state) WHERE state = 'received';

  -- One row per CDA document; root^extension is its id (ci-sis §16 row 11)
  CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    inbox_id INTEGER NOT NULL REFERENCES inbox (id),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    replaces TEXT,
    report TEXT NOT NULL,
    ris TEXT NOT NULL,
    received_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE document_studies (
    document_id TEXT NOT NULL REFERENCES documents (id),
    study_uid TEXT NOT NULL,
    PRIMARY KEY (document_id, study_uid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX document_studies_study ON document_studies (study_uid);

  -- The publication saga, one row per study and trigger; draft is what the next step needs, fixed once built
  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('publish', 'unpublish')),
    -- what set it off: user and structure of a change come from the report, or from the archived submission (FAQ 8801)
    cause TEXT NOT NULL CHECK (cause IN ('report', 'exam-change')),
    study_uid TEXT NOT NULL,
    document_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'built', 'published', 'removed', 'unchanged', 'declined', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TEXT NOT NULL,
    code TEXT,
    detail TEXT,
    draft TEXT,
    kos BLOB,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX jobs_open ON jobs (study_uid, id) WHERE state IN ('queued', 'built');

  CREATE TABLE manifests (
    study_uid TEXT PRIMARY KEY,
    pacs TEXT NOT NULL,
    kos_uid TEXT NOT NULL UNIQUE,
    kos BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('published', 'unpublished')),
    entry_uuid TEXT NOT NULL,
    structure_id TEXT NOT NULL,
    patient_matricule TEXT NOT NULL,
    -- the submission as sent, without the KOS: user and structure of later changes come from it (FAQ 8801)
    submission TEXT NOT NULL,
    published_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE lineage (
    kos_uid TEXT PRIMARY KEY,
    study_uid TEXT NOT NULL,
    document_id TEXT NOT NULL,
    replaces TEXT,
    entry_uuid TEXT NOT NULL,
    submission_uid TEXT NOT NULL,
    published_at TEXT NOT NULL,
    ended_at TEXT
  ) STRICT;
  CREATE INDEX lineage_study ON lineage (study_uid, published_at);

  -- No update or delete of a trace before its retention ends (DB.CS.06, DB.CS.10)
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    patient_matricule TEXT,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_patient ON audit (patient_matricule, at);
  CREATE TRIGGER audit_is_read_only BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit records are never changed'); END;

  -- Raw events behind STF01..STF33 (ci-sis §13); counts are computed by the reader
  CREATE TABLE statistics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    statistic TEXT NOT NULL,
    structure_id TEXT NOT NULL,
    dimension TEXT NOT NULL DEFAULT '',
    value REAL NOT NULL
  ) STRICT;
  CREATE INDEX statistics_month ON statistics (statistic, at)
  `,
];
