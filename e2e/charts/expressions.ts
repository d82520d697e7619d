/** What the chart's alerts and the dashboard ask Prometheus for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity?: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

export interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const root = join(import.meta.dirname, '../..');
export const rulesFile = join(root, 'charts/drimbox/files/alerts.yaml');
const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const dashboard = JSON.parse(readFileSync(join(root, 'dashboards/drimbox.json'), 'utf8')) as {
  readonly panels: readonly Panel[];
};

export const rules: readonly Rule[] = groups.flatMap((group) => group.rules);
export const panels: readonly Panel[] = dashboard.panels;

/** Names of series in an expression: words before a brace, a bracket, a comparison or an end, that are none of Prometheus' functions. */
function seriesOf(expression: string): string[] {
  return (
    expression.match(/\b(?:drimbox|envoy|leader_election|workqueue|controller_runtime)_[a-z_]+\b(?!\s*[!=]~?")/g) ?? []
  );
}

export const asked: ReadonlySet<string> = new Set(
  [...rules.map(({ expr }) => expr), ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))].flatMap(
    seriesOf,
  ),
);

/** Those of them that gateways have; the others, but for Envoy's, are the operator's. */
export const ofGateways: readonly string[] = [...asked].filter((name) =>
  /^drimbox_(?:pacs|publications|retrieves|messages)_/.test(name),
);
export const ofOperators: readonly string[] = [...asked].filter(
  (name) => !name.startsWith('envoy_') && !ofGateways.includes(name),
);
