/** Which studies a report concerns, and how: pure (DB0 §4.5.8.2, ci-sis §1.3). */
import type { StudyInstanceUid } from '../../domain.ts';
import type { ReportReceived } from '../report/report.ts';

export interface PlannedJob {
  readonly kind: 'publish' | 'unpublish';
  readonly study: StudyInstanceUid;
}

/**
 * @param replacedStudies studies of the report this one replaces, from the archive only: never unpublish a study without an
 * archive link (ci-sis §16 row 10).
 */
export function planJobs(report: ReportReceived, replacedStudies: readonly StudyInstanceUid[]): readonly PlannedJob[] {
  const studies = report.studies.map(({ studyInstanceUid }) => studyInstanceUid);
  if (report.action === 'deletion') return studies.map((study) => ({ kind: 'unpublish', study }));
  const dropped = replacedStudies.filter((study) => !studies.includes(study));
  return [
    ...studies.map((study) => ({ kind: 'publish' as const, study })),
    ...dropped.map((study) => ({ kind: 'unpublish' as const, study })),
  ];
}
