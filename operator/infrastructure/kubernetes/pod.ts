/** The pod of a gateway: PodSecurity "restricted", nothing writable but its volume, probes that mean it. Pure. */
import type { Json } from './json.ts';
import { configMapNames } from './config-maps.ts';
import { labelsOf, paths, podIndexLabel, podPorts, selectorOf, whitelistName, workloadName } from './names.ts';

export interface GatewayPod {
  readonly siteName: string;
  readonly trustSpace: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly imagePullSecrets: readonly string[];
  readonly cpuMillicores: number;
  readonly memoryMegabytes: number;
  /** In a database, not on a volume: there may be several of these pods. */
  readonly sharedArchive: boolean;
}

/** Longer than the gateway's own grace for series under way (120 s). */
const graceSeconds = 150;
/** The Service and the ingress need a moment to learn that it goes; meanwhile it still serves. */
const goodbyeSeconds = 5;

export function podTemplate(pod: GatewayPod): Json {
  const name = workloadName(pod.siteName);
  return {
    metadata: { labels: labelsOf(pod.siteName) },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        fsGroup: 65_532,
        // An archive of years has many pages: they are given to the group once, not at each start.
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(pod.imagePullSecrets.length > 0 && {
        imagePullSecrets: pod.imagePullSecrets.map((secret) => ({ name: secret })),
      }),
      ...(pod.sharedArchive && {
        // A wish, not a demand: with fewer nodes than gateways all run.
        topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
          maxSkew: 1,
          topologyKey,
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: selectorOf(pod.siteName) },
        })),
      }),
      containers: [container(pod)],
      volumes: [
        {
          name: 'site',
          projected: {
            defaultMode: 0o440,
            sources: [
              { secret: { name } },
              ...configMapNames(name).map((map, index) => ({
                configMap: { name: map, ...(index > 0 && { optional: true }) },
              })),
            ],
          },
        },
        {
          name: 'trust',
          projected: {
            defaultMode: 0o440,
            // None there: the gateway says that it has no list, and neither serves nor fetches (DB.CS.164).
            sources: configMapNames(whitelistName(pod.trustSpace)).map((map) => ({
              configMap: { name: map, optional: true },
            })),
          },
        },
        {
          name: 'data',
          ...(pod.sharedArchive
            ? { emptyDir: { sizeLimit: '1Gi' } }
            : { persistentVolumeClaim: { claimName: `${name}-data` } }),
        },
        { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
      ],
    },
  };
}

function container(pod: GatewayPod): Json {
  const probe = (path: string): Json => ({ httpGet: { path, port: 'admin' } });
  return {
    name: 'gateway',
    image: pod.image,
    imagePullPolicy: pod.imagePullPolicy,
    args: ['--config', `${paths.site}/config.json`],
    // Which of the AE titles are its own (spec.replicas).
    ...(pod.sharedArchive && {
      env: [{ name: 'POD_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${podIndexLabel}']` } } }],
    }),
    ports: Object.entries(podPorts).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    resources: {
      requests: { cpu: `${pod.cpuMillicores}m`, memory: `${pod.memoryMegabytes}Mi` },
      limits: { memory: `${pod.memoryMegabytes}Mi` },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    // Listening is what these ask: a PACS or a DMP that is away is no reason to turn the RIS away, and stands in the conditions.
    startupProbe: { ...probe('/livez'), periodSeconds: 1, failureThreshold: 120 },
    readinessProbe: { ...probe('/livez'), periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...probe('/livez'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    lifecycle: { preStop: { sleep: { seconds: goodbyeSeconds } } },
    // Its last words, for `kubectl describe`: what it printed when it could not start.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'site', mountPath: paths.site, readOnly: true },
      { name: 'trust', mountPath: paths.trust, readOnly: true },
      { name: 'data', mountPath: paths.data },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}
