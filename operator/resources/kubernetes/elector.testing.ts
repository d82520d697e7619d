/**
 * One contender for a Lease, as a process: prints `leading`, `lost` and `stopped` as they happen, ends by itself when it lost.
 *
 * usage: elector.testing.ts KUBECONFIG IDENTITY
 */
import { createKubeClient } from './client.ts';
import { startElection } from './election.ts';
import { kubeconfigAccess } from './kubeconfig-access.ts';

const [file = '', identity = ''] = process.argv.slice(2);
const client = createKubeClient({ access: await kubeconfigAccess(file) });
const say = (word: string): boolean => process.stdout.write(`${word}\n`);

const election = startElection({
  client,
  namespace: 'default',
  name: 'electors',
  identity,
  leaseMs: 3_000,
  renewDeadlineMs: 2_000,
  retryMs: 250,
  onGained: () => say('leading'),
  onLost: (reason) => {
    // isLeader() must agree at this very moment.
    say(`lost, leader ${election.isLeader()}: ${reason}`);
    process.exit(3);
  },
});

process.once('SIGTERM', () => {
  void election
    .stop()
    .then(() => client.close())
    .then(() => say('stopped'));
});
