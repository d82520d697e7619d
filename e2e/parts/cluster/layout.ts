/** Where a single node's files are, and its addresses. */
import { join } from 'node:path';

export interface Layout {
  /** The cluster's folder; the others are in it. */
  readonly directory: string;
  readonly pki: string;
  /** Configuration and sockets. */
  readonly run: string;
  readonly log: string;
  /** Folder of the Kubernetes programs. */
  readonly binaries: string;
  /** The node's end of the veth. */
  readonly nodeAddress: string;
  readonly hostAddress: string;
  /** First address of the services' range. */
  readonly apiServiceAddress: string;
  readonly dnsServiceAddress: string;
  /** Parent of every pod's cgroup. */
  readonly cgroup: string;
}

export function layoutOf(
  directory: string,
  binaries: string,
  place: { readonly nodeAddress: string; readonly hostAddress: string; readonly name: string },
): Layout {
  return {
    directory,
    binaries,
    pki: join(directory, 'pki'),
    run: join(directory, 'run'),
    log: join(directory, 'log'),
    nodeAddress: place.nodeAddress,
    hostAddress: place.hostAddress,
    apiServiceAddress: '10.96.0.1',
    dnsServiceAddress: '10.96.0.10',
    cgroup: place.name,
  };
}
