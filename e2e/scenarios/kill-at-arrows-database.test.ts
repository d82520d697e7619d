/** Three times at each arrow, on an archive in PostgreSQL: the next life finds the session of the last one gone. */
import { test } from 'uvu';
import { killAtArrows } from './kill-at-arrows.ts';

await killAtArrows({ name: 'kill-database', replicas: 2, times: 3 });

test.run();
