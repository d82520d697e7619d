/** Audit records and raw statistics on the archive's database (DB.CS.06, DB.SO.87). */
import type { TraceStore } from '../../journal/journal.ts';
import type { Database } from './database.ts';

export function createTraceStore(database: Database): TraceStore {
  return {
    async append(at, { event, audit, statistics }) {
      await database.transaction([
        ...(audit
          ? [
              {
                sql: 'INSERT INTO audit (at, event, patient_matricule, record) VALUES (?, ?, ?, ?)',
                params: [at, event, audit.patient?.matricule ?? null, JSON.stringify(audit)],
              },
            ]
          : []),
        ...statistics.map((row) => ({
          sql: 'INSERT INTO statistics (at, statistic, structure_id, dimension, value) VALUES (?, ?, ?, ?, ?)',
          params: [at, row.statistic, row.structureId, row.dimension ?? '', row.value],
        })),
      ]);
    },
  };
}
