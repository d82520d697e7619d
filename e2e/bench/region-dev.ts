import { openRegionWorld, until } from './region-world.ts';
import { watchPages, requestsIn } from './region-pages.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyFileSync } from 'node:fs';
const n = Number(process.argv[2] ?? 10); const flags = process.argv.slice(3);
function return0(): void { return; }
const t0 = performance.now(); const say = (...x: unknown[]): void => console.log(((performance.now()-t0)/1000).toFixed(1), ...x);
const world = await openRegionWorld({ sites: n, pacs: 2, nodeFlags: flags });
say('world'); 
try {
const a = await world.startOperator('operator-a');
const pages = watchPages(a.metricsPort, a.pid);
const envoy = await world.startEnvoy([a]);
await sleep(2000);
say('idle', await pages.peaks());
const t1 = performance.now();
const applied = world.applyAll().then(() => say('applied'));
await applied;
let shown = 0;
await until('all ready', Number(process.env['LIMIT'] ?? 20) * 1000, async () => { const r = await world.readiness(); if (performance.now() - shown > 5000) { shown = performance.now(); say(r); } return r.all === 3*n && r.ready === r.all; }, 1000).catch((e) => say(String(e)));
const links = await world.kube.request('GET','/apis/drimbox.dev/v1alpha1/namespaces/region/pacslinks?limit=1'); if ((await world.readiness()).ready < 3*n) { console.log(JSON.stringify((links.body['items'] as {status: unknown}[])[0]?.status, undefined, 1)); copyFileSync(a.logFile, '/tmp/w/E/op.log'); copyFileSync(envoy.logFile, '/tmp/w/E/envoy.log'); return0(); }
say('ready in', performance.now()-t1, await pages.peaks());
const page = await pages.read();
say(Object.fromEntries(requestsIn(page)));
for (const [k,v] of page) if (/drimbox_round|rounds|nodejs_heap_size|external|process_cpu_seconds|workqueue_(adds|retries)|apply_total/.test(k) && !/bucket/.test(k)) console.log(k, v);
await sleep(Number(process.env['QUIET'] ?? 5)*1000);
say('20 s later', await pages.peaks());
const c1 = await pages.read(); await sleep(Number(process.env['QUIET'] ?? 5)*1500); const c2 = await pages.read();
say('quiet 30s', await pages.peaks(), 'cpu', (c2.get('process_cpu_seconds_total') ?? 0) - (c1.get('process_cpu_seconds_total') ?? 0), 'requests', JSON.stringify([...requestsIn(c2)].map(([k,v]) => [k, v-(requestsIn(c1).get(k) ?? 0)]).filter(([,v]) => v !== 0)));
for (const [k,v] of c2) if (/round/.test(k) && !/bucket/.test(k)) console.log(k, v, c1.get(k));
say('envoy secrets', (await envoy.secrets()).length);
await pages.stop();
copyFileSync(a.logFile, '/tmp/w/E/op.log');
} finally { await world.stop(); }
say('done');
