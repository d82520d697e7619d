/** Twenty times at each arrow, on an archive in a file. */
import { test } from 'uvu';
import { killAtArrows } from './kill-at-arrows.ts';

await killAtArrows({ name: 'kill', replicas: 1, times: 20 });

test.run();
