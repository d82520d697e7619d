/** What to do about each reason a condition may have, for whoever can't read the code. Messages say what is wrong; this says where to go. */

import { whitelistReasons } from '../../common/whitelist/reasons.ts';

const ask =
  'ask for one with: drimbox certificate request (on a cluster: annotate the PacsLink drimbox.dev/request-certificate=db)';
const secret =
  'correct the Secret (kubectl create secret tls NAME --cert FILE --key FILE --dry-run=client -o yaml | kubectl apply -f -); it is read again at once';
const trust = 'correct the TrustSpace';
const database =
  'of CloudNativePG these are the Secrets CLUSTER-app and CLUSTER-ca, which must be in the namespace of the site';
const image =
  'correct images.gateway (repository, tag, digest) of the chart with helm upgrade, or give it pull secrets (images.pullSecrets)';

/** Reason to what to do next. */
export const advice: Readonly<Record<string, string>> = {
  AeTitleClash: 'give this link AE titles of its own in spec.aeTitlePool, and configure them in the PACS',
  FqdnClash: 'give this link an FQDN of its own, or delete the other one first',
  AeTitlePoolTooSmall:
    'add titles to spec.aeTitlePool of the link and configure them in the PACS (gateway i has those at i, i + replicas, ...), or lower spec.replicas of the site',
  SeveralOnOneHost: 'set spec.replicas to 1, or run the site on a cluster',
  PortClash: 'give this site ports of its own in spec.mllp.port and spec.dimse.port',
  SiteNotFound: 'make the DrimboxSite, or correct spec.site of the link',
  TrustSpaceNotFound: 'make the TrustSpace (kubectl get trustspaces lists them), or correct spec.trustSpace',
  NoPacsLink: 'make a PacsLink whose spec.site is this site',
  RisWithoutPacs: 'correct spec.ris[].pacs: names of PacsLinks of this site',
  PacsLinkNotFound: 'make the PacsLinks named, or take their names out of spec.ris[].pacs',
  TimeZoneUnknown: 'correct spec.timeZone',

  CredentialsNotFound: `make the Secret that spec.storage.postgres.credentials names; ${database}`,
  CredentialsIncomplete: `correct the Secret: it must hold username and password; ${database}`,
  CredentialsUnreadable: 'use a user of PostgreSQL whose name has at most 63 bytes',
  DatabaseTrustNotFound: `make the object that spec.storage.postgres.trust names, with that key; ${database}`,
  DatabaseTrustUnreadable: `it must hold PEM certificates; ${database}`,

  SecretNotFound: `make the Secret, type kubernetes.io/tls, in the namespace of the resource that names it; or ${ask}`,
  SecretIncomplete: secret,
  CertificateUnreadable: secret,
  ChainOutOfOrder: `put the server's certificate first in tls.crt, then each that issued the one before; ${secret}`,
  KeyMismatch: `tls.key belongs to another certificate; ${secret}`,
  KeyUnreadable: `give the key as unencrypted PEM; ${secret}`,
  WrongName: `ask the authority for a certificate with this FQDN; ${ask}`,
  NotForServers: `ask for a server certificate (SERV_SSL); ${ask}`,
  KeyNotSupported: `ask for a certificate of another key: RSA with 2048 bits or more, or EC P-256, P-384 or P-521; ${ask}`,
  NotForSigning: 'ask for a certificate with key usage digitalSignature',
  NotOrganisationValidated: 'a vi FQDN needs a certificate of a public authority that names your organisation (OV)',
  NotYetValid: 'wait until it begins, or check the clock of this machine',
  Expired: `it ended; ${ask}`,
  Revoked: `its authority took it back; ${ask}`,

  AnchorsEmpty: `${trust}: spec.anchors must hold PEM certificates`,
  AnchorsUnreadable: `${trust}: spec.anchors must hold PEM certificates`,
  SourceMissing: `${trust}: give one of inline, configMap, secret`,
  ConfigMapNotFound: 'make the ConfigMap that the TrustSpace names, with that key',
  CrlMissing: 'add the CRL of that authority to spec.crls.sources of the TrustSpace',
  CrlSourceMissing: 'add the urls of the CRLs to spec.crls.sources of the TrustSpace',
  CrlOfUnknownAuthority:
    'add that authority to spec.anchors of the TrustSpace, or take its CRL out of spec.crls.sources',
  CrlUnreachable: 'open the way from the operator to that url (HTTP), or give the CRL in a ConfigMap',
  CrlUnreadable: 'look at what the url really answers: it must be a CRL, DER or PEM',
  CrlPartial: 'name the whole CRL, not one of changes or of some certificates',
  CrlWithoutEnd: 'the authority must publish CRLs with nextUpdate',
  Fetching: 'wait a moment',

  Absent: 'no list yet: see the conditions of the TrustSpace',
  Unreachable:
    'open the way from the operator to the whitelist url; the list that is held stays in force until it is too old',
  UnreachableTwoDays:
    'open the way from the operator to the whitelist url before the list is too old (spec.whitelist.maximumAgeHours)',
  Stale:
    'images are not served until a list is had: open the way to the whitelist url, then: kubectl annotate trustspace NAME drimbox.dev/refresh=now --overwrite',
  Older: 'the publisher offers an older list than the one in force; ask ANS before anything else',
  SignatureInvalid:
    'the list was changed on its way or by its publisher; verify it by hand: drimbox whitelist verify FILE, and ask ANS',
  OwnEntryMissing:
    'this FQDN is not on the whitelist: have it added by ANS (its db, vi, CN and OU must be those of the certificate)',

  NotServed: 'see the other conditions of this link: they say what is missing',
  NoProxyConnected:
    'look at the ingress pods: kubectl get pods -l app.kubernetes.io/name=drimbox-ingress -A; what they were given last is still served',
  NoProxy: 'start the operator with --envoy FILE',
  ProxyDown: 'look at the log of the proxy (drimbox status --events)',
  NotAcknowledged: 'wait a moment; if it stays so, look at the ingress pods',
  RejectedByProxy: 'what the message quotes is what Envoy refuses; the former settings are served until it is mended',

  NotPlanned: 'see the other conditions of this site',
  Restarting:
    'its last words are in the message; the whole log: kubectl logs (on one host: gateway.log in the state folder)',
  NotAnswering: 'wait a moment; if it stays so, look at the log of the gateway',
  ConfigRefused: 'this is a fault of drimbox when the resources were accepted: please report it with the message',
  Progressing: 'wait a moment: mounted files take up to a minute to arrive',
  Starting: 'wait a moment; kubectl describe pod says what it waits for',
  Unschedulable:
    'no node takes the pod: lower spec.resources; of an unbound claim, correct spec.storage.storageClassName (kubectl get storageclass lists them), delete the claim (kubectl delete pvc drimbox-SITE-data) and the pod',
  SchedulingGated: 'something of your cluster holds the pod back: kubectl describe pod names the gate',
  ImagePullBackOff: image,
  ErrImagePull: image,
  InvalidImageName: image,
  ErrImageNeverPull:
    'the node does not have the image and may not pull it: correct images.gateway.tag or images.gateway.pullPolicy of the chart (helm upgrade)',
  Waiting: 'kubectl describe pod says what it waits for',
  CreateContainerConfigError: 'kubectl describe pod names what it refers to and does not find',
  CreateContainerError: 'kubectl describe pod quotes the node; look there for what it lacks',
  RunContainerError: 'kubectl describe pod quotes the node; look there for what it lacks',
  NotWritten:
    'the message names the object and quotes the API server: mend what it says (a quota, a policy, a port that is taken). What is fixed when an object is made (storageClassName of a claim) needs the old one deleted: kubectl delete pvc drimbox-SITE-data takes its archive along, so only while it is empty',

  ArchiveAway: 'see ArchiveReady',
  SomeSilent: 'see the PacsLinks: each says what its PACS answered',
  NotReported: 'the gateway has not said anything yet: see WorkloadAvailable',
  NotObserved: 'wait a moment',
  NoRecentEcho: 'check spec.node (host, port, AE title), and that nothing between gateway and PACS closes the way',
  EchoFailed: 'check spec.node (host, port, AE title), and that the PACS knows spec.callingAeTitle',
  NotLoaded: 'see the TrustSpace: the list has not reached the gateway yet',
  NewerRefused: 'see the TrustSpace: the newest list is not good, the former one is in force',
};

/** Faults of a chain, when it is that of a server's certificate and not of who signed the whitelist. */
const ofCertificates: Readonly<Record<string, string>> = {
  UntrustedChain: `no path to an anchor: add the intermediate authorities to tls.crt, or have it issued by an authority of this TrustSpace (TEST and PROD differ); ${secret}, or ${trust}`,
  NotAnAuthority: `put only authorities behind the server's certificate in tls.crt; ${secret}`,
  WeakCertificate: `ask for one with RSA of 2048 bits or more and SHA-256; ${ask}`,
  CriticalExtension: `ask for one without that extension; ${ask}`,
};

const reach =
  'check spec.storage.postgres (host, port), and that no network policy at the database keeps the gateways out';
/** Of the archive's database, as the gateways find it. */
const ofArchive: Readonly<Record<string, string>> = {
  Broken: 'look at the log of the gateway, then delete its pod; it is made again',
  Starting: 'wait a moment',
  Unreachable: reach,
  ConnectionRefused: reach,
  HostNotFound: 'correct spec.storage.postgres.host: the DNS of the gateways does not know it',
  ServerNotReady: 'wait: the database starts or stops; it is tried again',
  TlsNotOffered: 'give the database TLS (ssl = on): nothing is sent without it',
  CertificateNotTrusted: `correct spec.storage.postgres.trust: it must hold who issued the server's certificate; ${database}`,
  ServerNameMismatch: "write the host in spec.storage.postgres as the server's certificate has it",
  PasswordRefused: 'correct the Secret of spec.storage.postgres.credentials, or let this user in (pg_hba.conf)',
  DatabaseMissing: 'create the database, owned by this user, or correct spec.storage.postgres.database',
  PermissionDenied: 'make the user the owner of the database',
  TooManyConnections: 'each gateway needs 5 connections: raise max_connections, or lower spec.replicas',
  ReadOnlyServer: 'give the address of the primary in spec.storage.postgres.host (of CloudNativePG: CLUSTER-rw)',
  ServerTooOld: 'use PostgreSQL 14 or newer',
  DiskFull: 'give the database more disk',
  FileUnreadable:
    'wait a moment: mounted files take up to a minute to arrive; if it stays so, look at the log of the gateway',
  SchemaNewer: 'a newer version made the tables: go back to that version of images.gateway',
  OtherSite: 'give this site a database of its own: that one holds the archive of another',
};
/** Conditions in which a gateway may speak of its archive. */
const tellingArchive: ReadonlySet<string> = new Set(['ArchiveReady', 'WorkloadAvailable', 'ReplicasReady']);

/**
 * Undefined when the message says all there is to say.
 * @param type of the condition: the same reason may need something else
 */
export function adviceFor(type: string, reason: string): string | undefined {
  if (/^ExpiresIn\d+Days?$/.test(reason)) return `it ends soon; ${ask}`;
  if (type === 'CertificatesReady' && ofCertificates[reason] !== undefined) return ofCertificates[reason];
  if (tellingArchive.has(type) && ofArchive[reason] !== undefined && (type === 'ArchiveReady' || reason !== 'Starting'))
    return ofArchive[reason];
  return advice[reason] ?? (whitelistReasons as Readonly<Record<string, string>>)[reason];
}
