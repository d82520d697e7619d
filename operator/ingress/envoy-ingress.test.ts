/** A real Envoy between real TLS clients and real TLS gateways: who passes, and what the gateway is told. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { call } from './call.testing.ts';
import { type Stage, openStage } from './stage.testing.ts';

let stage: Stage;

/** What the gateway of `nord` was told last. */
function header(name: string): string {
  return String(stage.gateways.nord.requests.at(-1)?.headers[name]);
}

test.before(async () => {
  stage = await openStage();
  await stage.apply(stage.plan);
});

test.after(async () => {
  await stage.stop();
});

test('a trusted certificate passes, and the gateway reads CN and OU in XFCC', async () => {
  const answer = await call(stage, { sni: 'db.nord.example', client: stage.client });
  assert.equal([answer.status, answer.body], [200, 'nord']);
  assert.is(
    header('x-forwarded-client-cert').replace(/Hash=[0-9a-f]{64}/, 'Hash=H'),
    'Hash=H;Subject="CN=db.conso.example,OU=1750000002,O=STRUCTURE SYNTHETIQUE,ST=Paris (75),C=FR"',
  );
});

test.run();
