import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { metricsLabel, networkPolicySpec } from './network-policy.ts';
import { siteInput } from './site-input.testing.ts';

interface Rule {
  readonly from?: readonly unknown[];
  readonly to?: readonly unknown[];
  readonly ports: readonly { readonly protocol: string; readonly port: number }[];
}

const input = siteInput({ network: { sources: ['192.0.2.0/24'] } });

function policy(change: { readonly host?: string; readonly dmp?: string; readonly psc?: string } = {}): {
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
} {
  const [link] = input.links;
  if (link === undefined) throw new Error('the site has no link');
  const { spec } = input.trust;
  const dmp = { ...spec.dmp, ...(change.dmp !== undefined && { url: change.dmp }) };
  const introspection = { ...spec.introspection, ...(change.psc !== undefined && { url: change.psc }) };
  const node = { ...link.spec.node, ...(change.host !== undefined && { host: change.host }) };
  return networkPolicySpec(
    input.site,
    [{ ...link, spec: { ...link.spec, node } }],
    { ...input.trust, spec: { ...spec, dmp, introspection } },
    { name: 'system' },
  ) as ReturnType<typeof policy>;
}

const portsOf = (rules: readonly Rule[]): number[] => rules.flatMap(({ ports }) => ports.map(({ port }) => port));

test('both directions are closed but for what is named', () => {
  const spec = networkPolicySpec(input.site, input.links, input.trust, { name: 'system' });
  assert.equal(spec['policyTypes'], ['Ingress', 'Egress']);
  for (const rule of policy().ingress) assert.ok((rule.from?.length ?? 0) > 0, 'nobody is let in without being named');
});

test('RIS and PACS come from the given networks, callers through the ingress alone, metrics to those that may', () => {
  const [proxies, admin, hospital] = policy().ingress;
  assert.equal(hospital?.from, [{ ipBlock: { cidr: '192.0.2.0/24' } }]);
  assert.equal(
    hospital?.ports.map(({ port }) => port),
    [2575, 11_112],
  );
  const podsOf = (name: string): object => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'system' } },
    podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
  });
  assert.equal(proxies?.from, [podsOf('drimbox-ingress')]);
  assert.equal(
    proxies?.ports.map(({ port }) => port),
    [8443, 8444],
  );
  const monitors = { namespaceSelector: { matchLabels: { [metricsLabel]: 'true' } } };
  assert.equal(admin?.from, [podsOf('drimbox-operator'), monitors]);
});

test('a PACS given by address is reached there and nowhere else, one given by name at its port', () => {
  const towards = (host: string): unknown => policy({ host }).egress[1]?.to;
  assert.equal(towards('192.0.2.7'), [{ ipBlock: { cidr: '192.0.2.7/32' } }]);
  assert.equal(towards('2001:db8::7'), [{ ipBlock: { cidr: '2001:db8::7/128' } }]);
  assert.is(towards('pacs.example'), undefined);
});

test('ports of the national services are those of their URLs, each once', () => {
  const national = (dmp: string, psc: string): number[] => portsOf(policy({ dmp, psc }).egress.slice(2));
  assert.equal(national('https://dmp.example/s', 'https://psc.example/i'), [443]);
  assert.equal(national('http://dmp.example/s', 'https://psc.example:8443/i'), [80, 8443]);
});

test.run();
