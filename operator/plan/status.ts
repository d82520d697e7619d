/** Status of every resource, from what was observed and planned. Pure; each verdict has a reason and says what to do. */
import type { GatewayCondition, GatewayStatus } from '../../common/contract/gateway-status.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import { siteOf } from './acceptance.ts';
import { type Condition, type Verdict, bad, good, ready, unknown, withTimes } from './condition.ts';
import { stalled } from './stalled.ts';
import { onItsWay, progressing, workloadOutcome } from './workload.ts';
import { gatewayOf } from './replicas.ts';
import type { Observations, TrustObservation } from './observations.ts';
import { type Planning, isPaused } from './plan.ts';
import type { IngressHost } from './ingress-plan.ts';
import { type WantedCertificate, certificatesVerdict } from './certificates.ts';
import { type Remembered, noMemory } from './remembered.ts';
import { linkInputs, siteInputs } from './status-inputs.ts';

type Resource = TrustSpace | DrimboxSite | PacsLink;

export interface ResourceStatus {
  readonly kind: Resource['kind'];
  /** `NAMESPACE/NAME`, or `NAME` of a TrustSpace. */
  readonly key: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  /** The other fields of the kind's status (see its CRD). */
  readonly fields: Readonly<Record<string, unknown>>;
}

export function makeStatus(
  seen: Observations,
  planning: Planning,
  before: readonly ResourceStatus[],
): ResourceStatus[] {
  return [...eachStatus(seen, planning, new Map(before.map((former) => [statusKey(former.kind, former.key), former])))];
}

/** Key of the former status of a resource in `before` of {@link eachStatus}. */
export function statusKey(kind: Resource['kind'], key: string): string {
  return `${kind} ${key}`;
}

/** One after the other, so that whoever has thousands can give the event loop back in between. */
export function* eachStatus(
  seen: Observations,
  planning: Planning,
  before: { get(key: string): Pick<ResourceStatus, 'conditions'> | undefined },
  memory: Remembered = noMemory,
): Generator<ResourceStatus, void, undefined> {
  const { trustSpaces, sites, links } = seen.inventory;
  const finish = (resource: Resource, [verdicts, fields]: Status): ResourceStatus => {
    const key = keyOf(resource);
    const generation = resource.metadata.generation ?? 0;
    const former = before.get(statusKey(resource.kind, key))?.conditions ?? [];
    return {
      kind: resource.kind,
      key,
      generation,
      creationTimestamp: resource.metadata.creationTimestamp ?? seen.now.toISOString(),
      observedGeneration: generation,
      conditions: withTimes(verdicts, former, generation, seen.now),
      fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    };
  };
  const sitesOf = new Map<string, number>();
  for (const { spec } of sites) sitesOf.set(spec.trustSpace, (sitesOf.get(spec.trustSpace) ?? 0) + 1);
  for (const trust of trustSpaces) yield finish(trust, trustStatus(trust, seen, sitesOf.get(keyOf(trust)) ?? 0));
  // Ends of certificates come nearer by themselves: looked at again each minute.
  const minute = Math.floor(seen.now.getTime() / 60_000);
  const once = (resource: DrimboxSite | PacsLink, inputs: readonly unknown[], make: () => Status): ResourceStatus => {
    const key = statusKey(resource.kind, keyOf(resource));
    return memory.of(`status ${key}`, [resource, before.get(key), minute, ...inputs], () => finish(resource, make()));
  };
  for (const site of sites) yield once(site, siteInputs(site, seen, planning), () => siteStatus(site, seen, planning));
  for (const link of links)
    yield once(link, linkInputs(link, seen, planning), () =>
      linkStatus(link, seen, planning, before.get(statusKey(link.kind, keyOf(link)))),
    );
}

type Status = [verdicts: readonly Verdict[], fields: Record<string, unknown>];

function trustStatus(trust: TrustSpace, seen: Observations, sites: number): Status {
  const observed = seen.trusts.get(keyOf(trust));
  if (observed === undefined) return [[unknown('Ready', 'NotObserved', 'not looked at yet')], {}];
  const verdicts = [anchorsVerdict(observed), crlVerdict(observed, seen.now), whitelistVerdict(observed)];
  const { generatedAt, fetchedAt, domains } = observed.whitelist;
  return [
    [ready(verdicts), ...verdicts, ...stalled(verdicts)],
    {
      ...(generatedAt === undefined ? {} : { whitelist: { generatedAt, fetchedAt, domains } }),
      crlExpiry: observed.crls.ok ? observed.crls.nextUpdate : undefined,
      sites,
    },
  ];
}

function anchorsVerdict({ anchors, dmpTrust, introspectionTrust, introspectionClient }: TrustObservation): Verdict {
  const parts = [anchors, dmpTrust, introspectionTrust, introspectionClient];
  for (const part of parts) if (part?.ok === false) return bad('AnchorsResolved', part.reason, part.message);
  return good('AnchorsResolved', 'Resolved');
}

function crlVerdict({ crls }: TrustObservation, now: Date): Verdict {
  if (!crls.ok) return bad('CrlFresh', crls.reason, crls.message);
  if (Date.parse(crls.nextUpdate) <= now.getTime())
    return bad(
      'CrlFresh',
      'Expired',
      `a CRL ended at ${crls.nextUpdate}: every caller is refused until a newer one is had`,
    );
  return good('CrlFresh', 'Fresh', `until ${crls.nextUpdate}`);
}

function whitelistVerdict({ whitelist }: TrustObservation): Verdict {
  const { status, reason, message } = whitelist;
  return { type: 'WhitelistVerified', status, reason, message };
}

function siteStatus(site: DrimboxSite, seen: Observations, planning: Planning): Status {
  const key = keyOf(site);
  const links = planning.accepted.linksOf.get(key) ?? [];
  const own = site.spec.dmp.certificates.flatMap(({ authentication, signature }) => [authentication, signature]);
  const certificates = certificatesVerdict(
    own.map(({ secretName }) => ({ secret: `${site.metadata.namespace}/${secretName}` })),
    seen,
  );
  const ofLinks = links.flatMap((link) => certificatesVerdict(linkCertificates(link, planning), seen).expiry ?? []);
  const expiries = [certificates.expiry, ...ofLinks];
  const trust = seen.trusts.get(site.spec.trustSpace);
  const status = gatewayOf(key, seen, planning)?.status;
  const answering = links.filter((link) => pacsVerdict(link, status).status === 'True').length;
  const workload = workloadOutcome(site, seen, planning);
  const verdicts = [
    acceptedVerdict(site, planning),
    certificates.verdict,
    trust === undefined
      ? unknown('WhitelistVerified', 'NotObserved', 'no trust space')
      : ownWhitelist(trust, status?.conditions),
    ...workload.verdicts,
    ...archiveVerdict(site, status?.conditions),
    fromGateway('PacsReachable', status?.conditions) ?? pacsSummary(answering, links.length, status !== undefined),
    dmpVerdict(status?.conditions),
  ];
  const paused = isPaused(site)
    ? good(
        'Paused',
        'Paused',
        'changes to this site and its links are ignored until spec.paused is false and the annotation drimbox.dev/paused is gone',
      )
    : bad('Paused', 'NotPaused', '');
  return [
    [ready(verdicts), ...verdicts, paused, ...stalled(verdicts)],
    {
      gateways: workload.serving,
      pacs: `${answering}/${links.length}`,
      certificateExpiry: earliest(expiries),
      revision: status?.revision,
    },
  ];
}

function acceptedVerdict(site: DrimboxSite, planning: Planning): Verdict {
  const key = keyOf(site);
  const refusal = planning.accepted.refusedSites.get(key) ?? planning.unplanned.get(key);
  if (refusal !== undefined) return bad('Accepted', refusal.reason, refusal.message);
  const missing = planning.accepted.unknownPacs.get(key) ?? [];
  if (missing.length > 0)
    return bad(
      'Accepted',
      'PacsLinkNotFound',
      `spec.ris names ${missing.join(', ')}, no accepted PacsLink of this site; the other PACS are served`,
    );
  return good('Accepted', 'Accepted');
}

/** The gateway verifies the list again and looks for itself in it (DB.CS.164): its word counts beside the operator's. */
function ownWhitelist(trust: TrustObservation, conditions: readonly GatewayCondition[] | undefined): Verdict {
  const verdict = whitelistVerdict(trust);
  return verdict.status === 'True' ? (fromGateway('WhitelistVerified', conditions) ?? verdict) : verdict;
}

/** Known by what it takes: a publication that waits for the DMP says so (condition Publishing of the gateway). */
function dmpVerdict(conditions: readonly GatewayCondition[] | undefined): Verdict {
  const publishing = fromGateway('DmpReachable', conditions) ?? fromGateway('Publishing', conditions);
  return { ...(publishing ?? unknown('', 'NotReported', 'the gateway has not said')), type: 'DmpReachable' };
}

/** Of an archive that others run; a file on a volume of its own is there with its gateway. */
function archiveVerdict(
  { spec }: DrimboxSite,
  conditions: readonly GatewayCondition[] | undefined,
): readonly Verdict[] {
  if (spec.storage.postgres === undefined) return [];
  return [
    fromGateway('ArchiveReady', conditions) ?? unknown('ArchiveReady', 'NotReported', 'the gateway has not said'),
  ];
}

function pacsSummary(answering: number, linked: number, heard: boolean): Verdict {
  if (!heard) return unknown('PacsReachable', 'NotReported', 'the gateway has not said');
  return answering === linked
    ? good('PacsReachable', 'AllAnswer')
    : bad('PacsReachable', 'SomeSilent', `${linked - answering} of ${linked} PACS do not answer; see the PacsLinks`);
}

function linkStatus(
  link: PacsLink,
  seen: Observations,
  planning: Planning,
  before: Pick<ResourceStatus, 'conditions'> | undefined,
): Status {
  const key = keyOf(link);
  const refusal = planning.accepted.refusedLinks.get(key) ?? planning.accepted.smallPools.get(key);
  const certificates = certificatesVerdict(linkCertificates(link, planning), seen);
  const gateway = gatewayOf(siteOf(link), seen, planning)?.status;
  const echo = gateway?.pacs.find(({ name }) => name === link.metadata.name)?.lastEchoTime;
  const verdicts = [
    refusal === undefined ? good('Accepted', 'Accepted') : bad('Accepted', refusal.reason, refusal.message),
    certificates.verdict,
    behind(link, gateway, planning, before) ?? pacsVerdict(link, gateway),
    ingressVerdict(link, seen, planning),
  ];
  return [
    [ready(verdicts), ...verdicts, ...stalled(verdicts)],
    { certificateExpiry: certificates.expiry, certificateRequests: seen.requests?.get(key), lastEchoTime: echo },
  ];
}

function linkCertificates(link: PacsLink, planning: Planning): WantedCertificate[] {
  return (['db', 'vi'] as const).map((kind) => {
    const { fqdn, certificate } = link.spec[kind];
    const served = servedHost(link, fqdn, planning)?.identity;
    return {
      secret: `${link.metadata.namespace}/${certificate.secretName}`,
      name: fqdn,
      server: `${keyOf(link)} ${kind}`,
      ...(served?.notAfter === undefined ? {} : { servedUntil: served.notAfter }),
    };
  });
}

/** Its entry in the plan, unless the name belongs to another link. */
function servedHost(link: PacsLink, fqdn: string, { hostOf }: Planning): IngressHost | undefined {
  const host = hostOf.get(fqdn);
  return host?.link === keyOf(link) ? host : undefined;
}

function pacsVerdict(link: PacsLink, status: GatewayStatus | undefined): Verdict {
  const conditions = status?.pacs.find(({ name }) => name === link.metadata.name)?.conditions;
  const [first] = conditions ?? [];
  const verdict = fromGateway('PacsReachable', conditions) ?? (first === undefined ? undefined : renamed(first));
  return verdict ?? unknown('PacsReachable', 'NotReported', 'the gateway has not said');
}

/** What a gateway says of a PACS before it has the link's change it says of another PACS; of a link that did not change it counts. */
function behind(
  link: PacsLink,
  status: GatewayStatus | undefined,
  { gatewayOf: planned }: Planning,
  before: Pick<ResourceStatus, 'conditions'> | undefined,
): Verdict | undefined {
  const type = 'PacsReachable';
  const wanted = planned.get(siteOf(link))?.config.revision;
  if (status === undefined || wanted === undefined || status.revision === wanted) return undefined;
  const said = before?.conditions.find((one) => one.type === type);
  if (said?.observedGeneration === link.metadata.generation && said?.reason !== progressing) return undefined;
  return unknown(type, progressing, onItsWay(status.revision, wanted));
}

function renamed({ status, reason, message }: GatewayCondition): Verdict {
  return { type: 'PacsReachable', status, reason, message };
}

function ingressVerdict(link: PacsLink, seen: Observations, planning: Planning): Verdict {
  const type = 'IngressProgrammed';
  const missing = [link.spec.db.fqdn, link.spec.vi.fqdn].filter(
    (fqdn) => servedHost(link, fqdn, planning) === undefined,
  );
  if (missing.length > 0)
    return bad(type, 'NotServed', `${missing.join(' and ')}: not served, see the other conditions`);
  const observed = seen.ingress.get(keyOf(link));
  return observed === undefined
    ? unknown(type, 'NotReported', 'the proxy has not acknowledged it yet')
    : { type, status: observed.status, reason: observed.reason, message: observed.message };
}

function fromGateway(type: string, conditions: readonly GatewayCondition[] | undefined): Verdict | undefined {
  const found = conditions?.find((condition) => condition.type === type);
  return found === undefined ? undefined : { type, status: found.status, reason: found.reason, message: found.message };
}

function earliest(times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).toSorted()[0];
}
