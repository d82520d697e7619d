/** Publication jobs: rows of the saga's state table. Strict order per study: a job waits for earlier ones of its study (ci-sis §16 row 58). */
import type { StudyInstanceUid } from '../../domain.ts';
import type { Database, Row, Statement } from './database.ts';

export type OpenState = 'queued' | 'built';
export type EndState = 'published' | 'removed' | 'unchanged' | 'declined' | 'failed';

export interface Job {
  readonly id: number;
  readonly kind: 'publish' | 'unpublish';
  readonly cause: 'report' | 'exam-change';
  readonly study: StudyInstanceUid;
  readonly documentId: string;
  readonly state: OpenState;
  readonly attempts: number;
  /** JSON fixed when the job was built. */
  readonly draft: string | undefined;
  readonly kos: Buffer | undefined;
}

/** Where a job stood when it was read: it changes only from there, or someone else was first (Overtaken). */
export type JobStand = Pick<Job, 'id' | 'state' | 'attempts'>;

/** Changes are conditional: each throws {@link Overtaken} when the job no longer stands where the caller saw it. */
export interface JobQueue {
  /** Open jobs whose time has come and that no earlier open job of the same study holds back. */
  due(now: string, limit: number): Promise<readonly Job[]>;
  /** RFC 3339 of the next open job, or undefined when none is open. */
  nextAt(): Promise<string | undefined>;
  build(job: JobStand, draft: string, kos: Uint8Array | undefined, at: string): Promise<void>;
  postpone(
    job: JobStand,
    why: { readonly code: string; readonly detail: string; readonly nextAt: string; readonly at: string },
  ): Promise<void>;
  end(
    job: JobStand,
    state: EndState,
    why: { readonly code?: string; readonly detail: string; readonly at: string },
  ): Promise<void>;
  /** Everything that waits is tried now (a PACS or the DMP came back, or a person asked). */
  hurry(now: string): Promise<void>;
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Why the oldest waiting job waits; undefined when none does. */
  waiting(): Promise<{ readonly code: string; readonly detail: string } | undefined>;
}

export function createJobQueue(database: Database): JobQueue {
  return {
    async due(now, limit) {
      const rows = await database.query(
        `SELECT j.* FROM jobs j
         WHERE j.state IN ('queued', 'built') AND j.next_at <= ?
           AND NOT EXISTS (SELECT 1 FROM jobs e WHERE e.study_uid = j.study_uid AND e.state IN ('queued', 'built') AND e.id < j.id)
         ORDER BY j.id LIMIT ?`,
        [now, limit],
      );
      return rows.map(toJob);
    },
    async nextAt() {
      const [row] = await database.query(`SELECT min(next_at) AS at FROM jobs WHERE state IN ('queued', 'built')`);
      return typeof row?.['at'] === 'string' ? row['at'] : undefined;
    },
    async build(job, draft, kos, at) {
      await database.transaction([
        fromWhereItStood(
          job,
          `state = 'built', draft = ?, kos = ?, attempts = 0, next_at = ?, updated_at = ?, code = NULL, detail = NULL`,
          [draft, kos ?? null, at, at],
        ),
      ]);
    },
    async postpone(job, why) {
      await database.transaction([
        fromWhereItStood(job, 'attempts = attempts + 1, code = ?, detail = ?, next_at = ?, updated_at = ?', [
          why.code,
          why.detail,
          why.nextAt,
          why.at,
        ]),
      ]);
    },
    async end(job, state, why) {
      await database.transaction([endedStatement(job, state, why)]);
    },
    async hurry(now) {
      await database.transaction([
        { sql: `UPDATE jobs SET next_at = ? WHERE state IN ('queued', 'built')`, params: [now] },
      ]);
    },
    async waiting() {
      const [row] = await database.query(
        `SELECT code, detail FROM jobs WHERE state IN ('queued', 'built') AND code IS NOT NULL ORDER BY id LIMIT 1`,
      );
      return row && { code: String(row['code']), detail: String(row['detail']) };
    },
    async counts() {
      const rows = await database.query('SELECT state, count(*) AS n FROM jobs GROUP BY state');
      return Object.fromEntries(rows.map((row) => [String(row['state']), Number(row['n'])]));
    },
  };
}

/** The job ends; first of its transaction, so that whoever comes second writes nothing. */
export function endedStatement(
  job: JobStand,
  state: EndState,
  why: { readonly code?: string; readonly detail?: string; readonly at: string },
): Statement {
  return fromWhereItStood(job, 'state = ?, code = ?, detail = ?, updated_at = ?', [
    state,
    why.code ?? null,
    why.detail ?? null,
    why.at,
  ]);
}

function fromWhereItStood(job: JobStand, changes: string, params: NonNullable<Statement['params']>): Statement {
  return {
    sql: `UPDATE jobs SET ${changes} WHERE id = ? AND state = ? AND attempts = ? RETURNING id`,
    params: [...params, job.id, job.state, job.attempts],
    must: `publication job ${job.id} no longer is ${job.state} after ${job.attempts} attempts`,
  };
}

function toJob(row: Row): Job {
  return {
    id: Number(row['id']),
    kind: row['kind'] === 'unpublish' ? 'unpublish' : 'publish',
    cause: row['cause'] === 'exam-change' ? 'exam-change' : 'report',
    study: String(row['study_uid']) as StudyInstanceUid,
    documentId: String(row['document_id']),
    state: row['state'] === 'built' ? 'built' : 'queued',
    attempts: Number(row['attempts']),
    draft: typeof row['draft'] === 'string' ? row['draft'] : undefined,
    kos: row['kos'] instanceof Uint8Array ? Buffer.from(row['kos']) : undefined,
  };
}
