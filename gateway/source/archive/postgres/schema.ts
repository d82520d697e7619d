/**
 * The tables of `../schema.ts` in PostgreSQL's words. Only ever append a migration: `schema_version` counts how many a database has
 * seen. Text compares by bytes (COLLATE "C") as in SQLite, whatever the database's own collation.
 */
export const migrations: readonly string[] = [
  `
  -- Whose archive this is: two sites in one database would publish each other's reports
  CREATE TABLE archive_of (site text COLLATE "C" NOT NULL, one integer PRIMARY KEY DEFAULT 1 CHECK (one = 1));

  CREATE TABLE inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- RIS + MSH-10 + SHA-256 of the bytes: a message sent again because its ACK was lost is the same message
    fingerprint text COLLATE "C" NOT NULL UNIQUE,
    control_id text COLLATE "C" NOT NULL,
    ris text COLLATE "C" NOT NULL,
    remote text COLLATE "C" NOT NULL,
    received_at text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('received', 'processed', 'incomplete'))
  );
  -- Whichever gateway kept the message, the one on duty hears of it with the commit
  CREATE FUNCTION tell_of_work() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('drimbox_work', ''); RETURN NULL; END $$;
  CREATE TRIGGER inbox_tells AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION tell_of_work();
  CREATE INDEX inbox_state ON inbox (state) WHERE state = 'received';

  -- One row per CDA document; root^extension is its id (ci-sis §16 row 11)
  CREATE TABLE documents (
    id text COLLATE "C" PRIMARY KEY,
    inbox_id bigint NOT NULL REFERENCES inbox (id),
    active integer NOT NULL CHECK (active IN (0, 1)),
    replaces text COLLATE "C",
    report text COLLATE "C" NOT NULL,
    ris text COLLATE "C" NOT NULL,
    received_at text COLLATE "C" NOT NULL
  );
  CREATE TABLE document_studies (
    document_id text COLLATE "C" NOT NULL REFERENCES documents (id),
    study_uid text COLLATE "C" NOT NULL,
    PRIMARY KEY (document_id, study_uid)
  );
  CREATE INDEX document_studies_study ON document_studies (study_uid);

  -- The publication saga, one row per study and trigger; draft is what the next step needs, fixed once built
  CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('publish', 'unpublish')),
    -- what set it off: user and structure of a change come from the report, or from the archived submission (FAQ 8801)
    cause text COLLATE "C" NOT NULL CHECK (cause IN ('report', 'exam-change')),
    study_uid text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('queued', 'built', 'published', 'removed', 'unchanged', 'declined', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_at text COLLATE "C" NOT NULL,
    code text COLLATE "C",
    detail text COLLATE "C",
    draft text COLLATE "C",
    kos bytea,
    created_at text COLLATE "C" NOT NULL,
    updated_at text COLLATE "C" NOT NULL
  );
  CREATE INDEX jobs_open ON jobs (study_uid, id) WHERE state IN ('queued', 'built');

  CREATE TABLE manifests (
    study_uid text COLLATE "C" PRIMARY KEY,
    pacs text COLLATE "C" NOT NULL,
    kos_uid text COLLATE "C" NOT NULL UNIQUE,
    kos bytea NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('published', 'unpublished')),
    entry_uuid text COLLATE "C" NOT NULL,
    structure_id text COLLATE "C" NOT NULL,
    patient_matricule text COLLATE "C" NOT NULL,
    -- the submission as sent, without the KOS: user and structure of later changes come from it (FAQ 8801)
    submission text COLLATE "C" NOT NULL,
    published_at text COLLATE "C" NOT NULL,
    updated_at text COLLATE "C" NOT NULL
  );
  CREATE TABLE lineage (
    kos_uid text COLLATE "C" PRIMARY KEY,
    study_uid text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    replaces text COLLATE "C",
    entry_uuid text COLLATE "C" NOT NULL,
    submission_uid text COLLATE "C" NOT NULL,
    published_at text COLLATE "C" NOT NULL,
    ended_at text COLLATE "C"
  );
  CREATE INDEX lineage_study ON lineage (study_uid, published_at);

  -- No update or delete of a trace before its retention ends (DB.CS.06, DB.CS.10)
  CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    patient_matricule text COLLATE "C",
    record text COLLATE "C" NOT NULL
  );
  CREATE INDEX audit_patient ON audit (patient_matricule, at);
  CREATE FUNCTION audit_is_read_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit records are never changed'; END $$;
  CREATE TRIGGER audit_is_read_only BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_read_only();

  -- Raw events behind STF01..STF33 (ci-sis §13); counts are computed by the reader
  CREATE TABLE statistics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at text COLLATE "C" NOT NULL,
    statistic text COLLATE "C" NOT NULL,
    structure_id text COLLATE "C" NOT NULL,
    dimension text COLLATE "C" NOT NULL DEFAULT '',
    value double precision NOT NULL
  );
  CREATE INDEX statistics_month ON statistics (statistic, at)
  `,
];
