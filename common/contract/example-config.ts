/** A complete, valid gateway config on synthetic values: what tests start from. */
import type { GatewayConfig } from './gateway-config.ts';

const pair = { certificateFile: '/run/drimbox/tls.crt', keyFile: '/run/drimbox/tls.key' };
const tls = {
  mode: 'ingress',
  server: pair,
  clientCaFile: '/run/drimbox/ca.crt',
  ingressName: 'ingress.drimbox.internal',
} as const;
const listen = { host: '127.0.0.1', port: 0 };

export const exampleConfig: GatewayConfig = {
  apiVersion: 'gateway.drimbox.dev/v1alpha1',
  environment: 'TEST',
  revision: '1',
  site: {
    namespace: 'ght',
    name: 'nord',
    structureId: '1750000001',
    structureName: 'Centre Nord',
    sourceId: '2.25.1',
    systemId: 'drimbox-nord',
    timeZone: 'Europe/Paris',
  },
  listeners: {
    mllp: { ...listen, maxMessageBytes: 16_777_216 },
    dimse: listen,
    wado: { ...listen, tls },
    viewer: { ...listen, tls },
    admin: listen,
  },
  ris: [{ name: 'ris', sendingApplication: 'RIS', pacs: ['pacs1'] }],
  pacs: [
    {
      name: 'pacs1',
      host: '127.0.0.1',
      port: 104,
      aeTitle: 'PACS1',
      callingAeTitle: 'DRIMBOX',
      aeTitlePool: ['DRIM1', 'DRIM2', 'DRIM3'],
      wadoFqdn: 'db1.1.example',
      viewerFqdn: 'vi1.1.example',
      publicPort: 443,
      retrieveLocationUid: '2.25.2',
      relationalQueries: 'auto',
      maxConcurrentMoves: 3,
      connectTimeoutMs: 5000,
      responseTimeoutMs: 60_000,
      excludedSopInstanceRoots: [],
      patientChecks: true,
    },
  ],
  dmp: {
    url: 'https://127.0.0.1:1/si-dmp-server/v2/services',
    trustFile: '/run/drimbox/dmp-ca.crt',
    structures: [{ structureId: '1750000001', authentication: pair, signature: pair }],
    software: { name: 'drimbox', version: '0.1.0', homologationId: 'TEST' },
    timeoutMs: 30_000,
    retry: { initialMs: 1000, maximumMs: 300_000 },
  },
  introspection: {
    mode: 'rfc7662',
    url: 'https://127.0.0.1:1/introspect',
    trustFile: '/run/drimbox/psc-ca.crt',
    client: pair,
    clientId: 'drimbox',
    timeoutMs: 5000,
  },
  whitelist: {
    file: '/run/drimbox/whitelist.xml',
    anchorsFile: '/run/drimbox/anchors.pem',
    requireRevocation: false,
    signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' },
  },
  storage: { directory: '/var/lib/drimbox' },
  log: { level: 'info' },
};
