/** The DMP simulator as a program: `node main.ts --config FILE`; prints its URL when it listens. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type DmpSimulatorConfig, greeting, startDmp } from '../dmp.ts';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
if (values.config === undefined) throw new Error('--config FILE is needed: JSON of DmpSimulatorConfig');
const dmp = await startDmp(JSON.parse(readFileSync(values.config, 'utf8')) as DmpSimulatorConfig);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void dmp.close());
console.log(`${greeting} ${dmp.url}`);
