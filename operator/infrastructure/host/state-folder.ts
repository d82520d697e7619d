/** Where everything of the operator is on a host. One folder, readable by its owner alone. */
import { join } from 'node:path';

export interface StateFolder {
  readonly root: string;
  readonly acceptedFile: string;
  readonly planFile: string;
  readonly statusFile: string;
  readonly portsFile: string;
  readonly internalFile: string;
  readonly lockFile: string;
  /** Programs that run (register.ts). */
  readonly processesFile: string;
  readonly fetchedFolder: string;
  /** Keys made here, and the certificates accepted for them. */
  readonly certificatesFolder: string;
  /** The proxy's own folder. */
  readonly ingressFolder: string;
  trustFolder(trustSpace: string): string;
  siteFolder(site: string): string;
  configFile(site: string): string;
  filesFolder(site: string): string;
  dataFolder(site: string): string;
  gatewayLog(site: string): string;
}

/** @param root absolute */
export function stateFolder(root: string): StateFolder {
  const siteFolder = (site: string): string => join(root, 'sites', site);
  return {
    root,
    acceptedFile: join(root, 'accepted.json'),
    planFile: join(root, 'plan.json'),
    statusFile: join(root, 'status.json'),
    portsFile: join(root, 'ports.json'),
    internalFile: join(root, 'internal-authority.json'),
    processesFile: join(root, 'processes.json'),
    lockFile: join(root, 'operator.pid'),
    fetchedFolder: join(root, 'fetched'),
    certificatesFolder: join(root, 'certificates'),
    ingressFolder: join(root, 'ingress'),
    trustFolder: (trustSpace) => join(root, 'trust', trustSpace),
    siteFolder,
    configFile: (site) => join(siteFolder(site), 'config.json'),
    filesFolder: (site) => join(siteFolder(site), 'files'),
    dataFolder: (site) => join(siteFolder(site), 'data'),
    gatewayLog: (site) => join(siteFolder(site), 'gateway.log'),
  };
}
