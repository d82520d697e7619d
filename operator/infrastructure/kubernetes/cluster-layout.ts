/** Where things are in a gateway's pod, and how the ingress reaches it. */
import { join } from 'node:path/posix';
import type { Layout } from '../../plan/observations.ts';
import { paths, podPorts } from './names.ts';

/** @param addressOf cluster address of a site's internal Service; undefined until the cluster has given one */
export function clusterLayout(addressOf: (site: string) => string | undefined): Layout {
  return {
    fileOf: (_site, name) => join(paths.site, name),
    whitelistFile: () => join(paths.trust, 'whitelist.xml'),
    dataDirectory: () => paths.data,
    siteAddress: '0.0.0.0',
    gatewayAddress: '0.0.0.0',
    portsOf: () => podPorts,
    upstreamOf: addressOf,
    sharedPorts: false,
  };
}
