/** The status page's content: conditions with reasons, from facts (architecture §4.1). Pure. */
import type { GatewayCondition, GatewayStatus } from '../../common/contract/gateway-status.ts';
import type { ArchiveHealth } from '../source/archive/unavailable.ts';
import type { WhitelistState } from '../identity/whitelist-watch.ts';
import { echoMaximumAgeMs, type PacsFact } from './health.ts';

export interface StatusFacts {
  readonly revision: string;
  readonly refusedConfig: GatewayStatus['refusedConfig'];
  readonly whitelist: WhitelistState;
  readonly whitelistSince: Date;
  readonly archive: ArchiveHealth;
  /** Of several gateways on one archive, this one plans messages and publishes. */
  readonly onDuty: boolean;
  readonly pacs: readonly (PacsFact & { readonly detail: string; readonly since: Date })[];
  readonly publications: Readonly<Record<string, number>>;
  readonly waiting: { readonly code: string; readonly detail: string } | undefined;
  readonly listening: GatewayStatus['listening'];
  readonly now: Date;
}

export function statusOf(facts: StatusFacts): GatewayStatus {
  const conditions = [
    whitelistCondition(facts),
    configCondition(facts),
    archiveCondition(facts),
    publicationCondition(facts),
  ];
  return {
    apiVersion: 'gateway.drimbox.dev/v1alpha1',
    revision: facts.revision,
    ...(facts.refusedConfig && { refusedConfig: facts.refusedConfig }),
    ready: conditions.every(({ type, status }) => type === 'Publishing' || status === 'True'),
    conditions,
    pacs: facts.pacs.map((pacs) => ({
      name: pacs.name,
      conditions: [pacsCondition(pacs, facts.now)],
      ...(pacs.lastEchoUp && pacs.lastEchoAt && { lastEchoTime: pacs.lastEchoAt.toISOString() }),
    })),
    publications: facts.publications,
    listening: facts.listening,
  };
}

function condition(
  type: string,
  ok: boolean | undefined,
  reason: string,
  message: string,
  since: Date,
): GatewayCondition {
  return {
    type,
    status: ok === undefined ? 'Unknown' : ok ? 'True' : 'False',
    reason,
    message,
    lastTransitionTime: since.toISOString(),
  };
}

function whitelistCondition({ whitelist, whitelistSince }: StatusFacts): GatewayCondition {
  const { list, ownEntry, refusal } = whitelist;
  const make = (ok: boolean, reason: string, message: string): GatewayCondition =>
    condition('WhitelistVerified', ok, reason, message, whitelistSince);
  if (!list) return make(false, refusal?.reason ?? 'NotLoaded', refusal?.detail ?? 'no whitelist was loaded yet');
  if (!ownEntry)
    return make(
      false,
      'OwnEntryMissing',
      'this DRIMbox is not on the list: WADO-RS is off (DB.CS.164); ask ANS to list its db FQDN',
    );
  if (refusal)
    return make(
      true,
      'NewerRefused',
      `a newer list was refused (${refusal.reason}: ${refusal.detail}); the one generated ${list.generatedAt} stays`,
    );
  return make(
    true,
    'Verified',
    `${list.domains.length} domains, generated ${list.generatedAt}, signed by ${list.signer.commonName}`,
  );
}

function configCondition({ refusedConfig, now, revision }: StatusFacts): GatewayCondition {
  return refusedConfig
    ? condition(
        'ConfigAccepted',
        false,
        'Refused',
        `revision ${refusedConfig.revision}: ${refusedConfig.path}: ${refusedConfig.message}; revision ${revision} stays in force`,
        now,
      )
    : condition('ConfigAccepted', true, 'Accepted', `revision ${revision}`, now);
}

function archiveCondition({ archive }: StatusFacts): GatewayCondition {
  return archive.up
    ? condition('ArchiveReady', true, 'Ready', archive.detail, archive.since)
    : condition('ArchiveReady', false, archive.reason, archive.detail, archive.since);
}

function publicationCondition({ waiting, publications, archive, onDuty, now }: StatusFacts): GatewayCondition {
  if (!archive.up)
    return condition('Publishing', undefined, 'ArchiveAway', 'the archive does not answer: see ArchiveReady', now);
  if (waiting) return condition('Publishing', false, waiting.code, waiting.detail, now);
  return condition(
    'Publishing',
    true,
    onDuty ? 'Idle' : 'OtherGateway',
    `${publications['published'] ?? 0} published, ${publications['failed'] ?? 0} failed`,
    now,
  );
}

function pacsCondition(
  pacs: PacsFact & { readonly detail: string; readonly since: Date },
  now: Date,
): GatewayCondition {
  if (pacs.lastEchoAt === undefined || now.getTime() - pacs.lastEchoAt.getTime() > echoMaximumAgeMs)
    return condition('PacsReachable', undefined, 'NoRecentEcho', 'no C-ECHO lately', pacs.since);
  return pacs.lastEchoUp
    ? condition('PacsReachable', true, 'Echoed', 'C-ECHO answered', pacs.since)
    : condition('PacsReachable', false, 'EchoFailed', pacs.detail, pacs.since);
}
