/** What `--out DIR` leaves for an integrator to hold in hand. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { losslessAccept } from '../parts/drimbox-client.ts';
import type { DemoResult, DemoWorld } from './scenario.ts';
import { professional } from './world.ts';

export function writeOutputs(out: string, world: DemoWorld, result: DemoResult, summary: object): void {
  const { artefacts } = result;
  writeFileSync(join(out, 'report.hl7'), artefacts.report);
  writeFileSync(join(out, 'cda.xml'), cdaOf(artefacts.report));
  writeFileSync(join(out, 'kos.dcm'), artefacts.kos);
  if (artefacts.submissionFile !== '') copyFileSync(artefacts.submissionFile, join(out, 'submission.mime'));
  writeFileSync(join(out, 'metrics.txt'), artefacts.metrics);
  writeFileSync(join(out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  writeCurl(out, world, result);
}

/** One file a part, as received. */
export function openSeriesFolder(out: string): (sopInstanceUid: string, file: Buffer) => void {
  const folder = join(out, 'series');
  mkdirSync(folder, { recursive: true });
  return (sopInstanceUid, file) => writeFileSync(join(folder, `${sopInstanceUid}.dcm`), file);
}

/** OBX-5 of the document: base64 of the CDA. */
function cdaOf(report: Buffer): Buffer {
  const encoded = /\^Base64\^([A-Za-z0-9+/=]+)/i.exec(report.toString('latin1'))?.[1] ?? '';
  return Buffer.from(encoded, 'base64');
}

/** The same request with curl, while the demo is up: certificate, SNI, a fresh token (they live two minutes), KOS id. */
function writeCurl(out: string, world: DemoWorld, result: DemoResult): void {
  const { services, sites, ports } = world;
  const files = join(out, 'certificates');
  mkdirSync(files, { recursive: true });
  const caller = sites[1]?.spec.links[0]?.db.certificate;
  if (!caller) throw new Error('the remote DRIMbox has a certificate');
  for (const [from, to] of [
    [services.pki.bundleFile, 'ca.pem'],
    [caller.certificateFile, 'drimbox.pem'],
    [caller.keyFile, 'drimbox.key'],
    [services.viewer.certificateFile, 'psc-client.pem'],
    [services.viewer.keyFile, 'psc-client.key'],
  ] as const)
    writeFileSync(join(files, to), readFileSync(from), { mode: 0o600 });
  const url = new URL(result.artefacts.retrieveUrl);
  const script = `#!/bin/sh
# Fetches the series as a remote DRIMbox would, while the demo is up. Needs curl and openssl.
set -eu
cd "$(dirname "$0")"
ca=certificates/ca.pem
psc=${services.psc.issuer}/protocol/openid-connect
redirect=https://localhost/callback
verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')

# Pro Sante Connect: the simulator logs the professional in at once
code=$(curl -sS --cacert $ca -o /dev/null -D - -G "$psc/auth" \\
  -d client_id=viewer-demo -d response_type=code --data-urlencode scope='openid scope_all' -d acr_values=eidas1 \\
  -d login_hint=${professional.id} -d state=s -d nonce=n -d redirect_uri=$redirect -d code_challenge=$challenge -d code_challenge_method=S256 \\
  | tr -d '\\r' | sed -n 's/^[Ll]ocation:.*[?&]code=\\([^&]*\\).*/\\1/p')
token=$(curl -sS --cacert $ca --cert certificates/psc-client.pem --key certificates/psc-client.key "$psc/token" \\
  -d grant_type=authorization_code -d client_id=viewer-demo -d code=$code -d redirect_uri=$redirect -d code_verifier=$verifier \\
  | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

curl -sS --http1.1 --cacert $ca --cert certificates/drimbox.pem --key certificates/drimbox.key \\
  --resolve ${url.hostname}:${ports.public}:127.0.0.1 \\
  -H "Authorization: Bearer $token" \\
  -H 'KOS-SOPInstanceUID: ${result.kos.sopInstanceUid}' \\
${losslessAccept.map((range) => `  -H 'Accept: ${range}' \\`).join('\n')}
  -o series.multipart -w 'HTTP %{http_code}, %{size_download} bytes, first byte %{time_starttransfer} s, total %{time_total} s\\n' \\
  '${url.href}'
`;
  writeFileSync(join(out, 'curl.sh'), script, { mode: 0o755 });
}
