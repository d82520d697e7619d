import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bad, good, unknown } from './condition.ts';
import { stalled } from './stalled.ts';

test('what a person gave and only a person can mend stalls, for that reason', () => {
  const cause = bad('CertificatesReady', 'KeyMismatch', 'Secret a/b: tls.key belongs to another certificate');
  assert.equal(stalled([good('Accepted', 'Accepted'), cause, bad('IngressProgrammed', 'NotServed', 'x')]), [
    {
      type: 'Stalled',
      status: 'True',
      reason: 'KeyMismatch',
      message: 'CertificatesReady: Secret a/b: tls.key belongs to another certificate',
    },
  ]);
  assert.is(stalled([bad('IngressProgrammed', 'RejectedByProxy', 'x')]).length, 1);
  assert.is(stalled([bad('Accepted', 'FqdnClash', 'x')]).length, 1);
});

test('what may still arrive, or passes, does not stall', () => {
  assert.equal(stalled([bad('Accepted', 'NoPacsLink', 'x'), bad('CertificatesReady', 'SecretNotFound', 'x')]), []);
  assert.equal(stalled([bad('PacsReachable', 'EchoFailed', 'x'), bad('WorkloadAvailable', 'Restarting', 'x')]), []);
  assert.equal(stalled([unknown('CertificatesReady', 'NotObserved', 'x')]), []);
});

test.run();
