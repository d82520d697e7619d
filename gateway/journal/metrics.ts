/** The Prometheus series of a gateway (architecture §4.5): units in names, labels bounded by configuration, created at zero. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcessMetrics } from '../../common/observability/process-metrics.ts';
import { errorCatalogue } from './error-codes.ts';

export interface GatewayMetrics {
  readonly registry: Registry;
  readonly messages: Counter<'ris' | 'outcome'>;
  readonly publications: Counter<'outcome' | 'code'>;
  readonly publicationJobs: Gauge<'state'>;
  readonly pacsQueries: Counter<'pacs' | 'outcome'>;
  readonly pacsMoves: Counter<'pacs' | 'outcome'>;
  readonly pacsUp: Gauge<'pacs'>;
  readonly imagesReceived: Counter<'pacs'>;
  readonly imageBytesReceived: Counter<'pacs'>;
  readonly retrieves: Counter<'pacs' | 'outcome' | 'code'>;
  readonly retrieveInstances: Counter<'pacs'>;
  readonly retrieveBytes: Counter<'pacs'>;
  readonly retrieveFirstImage: Histogram<'pacs'>;
  readonly retrieveDuration: Histogram<'pacs'>;
  readonly whitelistDomains: Gauge;
  readonly whitelistOwnEntry: Gauge;
  readonly configRefused: Gauge;
  readonly archiveUp: Gauge;
  readonly publicationDuty: Gauge;
  readonly internalErrors: Counter;
}

const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 17, 30, 60, 120, 300];

/** @param names RIS and PACS of the configuration: every series of theirs exists from the start. */
export function createMetrics(names: {
  readonly ris: readonly string[];
  readonly pacs: readonly string[];
}): GatewayMetrics {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const registers = [registry];
  const metrics: GatewayMetrics = {
    registry,
    messages: new Counter({
      name: 'drimbox_messages_total',
      help: 'HL7 messages received, by RIS and outcome',
      labelNames: ['ris', 'outcome'],
      registers,
    }),
    publications: new Counter({
      name: 'drimbox_publications_total',
      help: 'Ends of publication jobs, by outcome and error code',
      labelNames: ['outcome', 'code'],
      registers,
    }),
    publicationJobs: new Gauge({
      name: 'drimbox_publication_jobs',
      help: 'Publication jobs in the archive, by state',
      labelNames: ['state'],
      registers,
    }),
    pacsQueries: new Counter({
      name: 'drimbox_pacs_queries_total',
      help: 'C-FIND of a study, by PACS and outcome (STF12, STF13)',
      labelNames: ['pacs', 'outcome'],
      registers,
    }),
    pacsMoves: new Counter({
      name: 'drimbox_pacs_moves_total',
      help: 'C-MOVE of a series, by PACS and outcome (STF14, STF15)',
      labelNames: ['pacs', 'outcome'],
      registers,
    }),
    pacsUp: new Gauge({
      name: 'drimbox_pacs_up',
      help: '1 when the last C-ECHO succeeded',
      labelNames: ['pacs'],
      registers,
    }),
    imagesReceived: new Counter({
      name: 'drimbox_pacs_images_received_total',
      help: 'Instances received by C-STORE (STF16)',
      labelNames: ['pacs'],
      registers,
    }),
    imageBytesReceived: new Counter({
      name: 'drimbox_pacs_image_bytes_received_total',
      help: 'Data-set bytes received by C-STORE',
      labelNames: ['pacs'],
      registers,
    }),
    retrieves: new Counter({
      name: 'drimbox_retrieves_total',
      help: 'WADO-RS series requests, by outcome and error code (STF07, STF08)',
      labelNames: ['pacs', 'outcome', 'code'],
      registers,
    }),
    retrieveInstances: new Counter({
      name: 'drimbox_retrieve_instances_total',
      help: 'Instances sent by WADO-RS (STF09, STF10)',
      labelNames: ['pacs'],
      registers,
    }),
    retrieveBytes: new Counter({
      name: 'drimbox_retrieve_bytes_total',
      help: 'Part 10 bytes sent by WADO-RS (STF11)',
      labelNames: ['pacs'],
      registers,
    }),
    retrieveFirstImage: new Histogram({
      name: 'drimbox_retrieve_first_image_seconds',
      help: 'From request received to first image sent (DB.SO.113)',
      labelNames: ['pacs'],
      buckets: seconds,
      registers,
    }),
    retrieveDuration: new Histogram({
      name: 'drimbox_retrieve_duration_seconds',
      help: 'From request received to last image sent (DB.SO.100)',
      labelNames: ['pacs'],
      buckets: seconds,
      registers,
    }),
    ...standing(registers),
    internalErrors: new Counter({
      name: 'drimbox_internal_errors_total',
      help: 'Defects caught: each has a log line',
      registers,
    }),
  };
  createAtZero(metrics, names);
  return metrics;
}

/** How the gateway stands now. */
function standing(
  registers: Registry[],
): Pick<GatewayMetrics, 'whitelistDomains' | 'whitelistOwnEntry' | 'configRefused' | 'archiveUp' | 'publicationDuty'> {
  return {
    whitelistDomains: new Gauge({
      name: 'drimbox_whitelist_domains',
      help: 'Domains of the whitelist in force; 0 when none is',
      registers,
    }),
    whitelistOwnEntry: new Gauge({
      name: 'drimbox_whitelist_own_entry',
      help: '1 when this DRIMbox finds itself on the list (DB.CS.164)',
      registers,
    }),
    configRefused: new Gauge({
      name: 'drimbox_config_refused',
      help: '1 while a newer configuration is refused',
      registers,
    }),
    archiveUp: new Gauge({
      name: 'drimbox_archive_up',
      help: '1 while the archive answers (ArchiveReady)',
      registers,
    }),
    publicationDuty: new Gauge({
      name: 'drimbox_publication_duty',
      help: '1 on the gateway of a site that plans messages and publishes',
      registers,
    }),
  };
}

function createAtZero(
  metrics: GatewayMetrics,
  { ris, pacs }: { readonly ris: readonly string[]; readonly pacs: readonly string[] },
): void {
  for (const name of [...ris, 'unknown'])
    for (const outcome of ['understood', 'incomplete', 'refused']) metrics.messages.inc({ ris: name, outcome }, 0);
  for (const outcome of ['published', 'replaced', 'removed', 'unchanged', 'declined'])
    metrics.publications.inc({ outcome, code: '' }, 0);
  const codes = Object.keys(errorCatalogue);
  for (const code of codes.filter((c) => c.length === 4)) metrics.publications.inc({ outcome: 'failed', code }, 0);
  for (const name of pacs) {
    for (const outcome of ['success', 'error']) {
      metrics.pacsQueries.inc({ pacs: name, outcome }, 0);
      metrics.pacsMoves.inc({ pacs: name, outcome }, 0);
    }
    metrics.retrieves.inc({ pacs: name, outcome: 'success', code: '' }, 0);
    for (const code of codes.filter((c) => c.startsWith('E10') || c.startsWith('E11')))
      metrics.retrieves.inc({ pacs: name, outcome: 'error', code }, 0);
    for (const counter of [
      metrics.imagesReceived,
      metrics.imageBytesReceived,
      metrics.retrieveInstances,
      metrics.retrieveBytes,
    ])
      counter.inc({ pacs: name }, 0);
    metrics.pacsUp.set({ pacs: name }, 0);
    metrics.retrieveFirstImage.zero({ pacs: name });
    metrics.retrieveDuration.zero({ pacs: name });
  }
}
