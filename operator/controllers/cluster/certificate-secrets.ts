/**
 * Keys made in the cluster and the certificates accepted for them: one Secret per PacsLink and kind, beside the link, which goes with it.
 * A request is asked for by the annotation `drimbox.dev/request-certificate: db` (or `vi`, or `db,vi`) on the PacsLink.
 */
import type { PacsLink } from '../../api/types.generated.ts';
import { ownLabels } from '../../infrastructure/kubernetes/names.ts';
import { keyOf } from '../../resources/inventory.ts';
import { type ApplyObject, secretData } from '../../resources/kubernetes/apply.ts';
import type { Store } from '../../resources/kubernetes/store.ts';
import type { CertificateRequest } from '../../trust/certificate-request.ts';
import type { CertificateStore } from '../../trust/certificate-store.ts';
import type { PemPair } from '../../trust/internal-authority.ts';
import type { ServerKind } from '../../trust/server-certificate.ts';
import { serverKinds } from '../../trust/server-identities.ts';
import { type DataObject, memoryLabel } from './watches.ts';

export const requestAnnotation = 'drimbox.dev/request-certificate';

interface Kept {
  readonly request?: CertificateRequest;
  readonly accepted?: PemPair;
}

export interface ClusterCertificates extends CertificateStore {
  /** Secrets to be written for this link; told again until the cluster shows them. */
  objectsOf(link: PacsLink): readonly ApplyObject[];
  /** Links that have something to write. */
  waiting(): readonly string[];
}

/** @param secrets with {@link memoryLabel} */
export function clusterCertificates(secrets: Store<DataObject>, onPending: () => void): ClusterCertificates {
  const written = new Map<string, Kept>();
  const nameOf = (link: string, kind: ServerKind): string => `${link}-${kind}-key`;

  const stored = (key: string): Kept => {
    const packed = secrets.get(key)?.data?.['state.json'];
    return packed === undefined ? {} : (JSON.parse(Buffer.from(packed, 'base64').toString('utf8')) as Kept);
  };
  const read = (link: string, kind: ServerKind): Kept => {
    const key = nameOf(link, kind);
    const own = written.get(key);
    if (own === undefined) return stored(key);
    if (JSON.stringify(own) === JSON.stringify(stored(key))) written.delete(key);
    return own;
  };
  const write = (link: string, kind: ServerKind, kept: Kept): void => {
    written.set(nameOf(link, kind), kept);
    onPending();
  };
  return {
    pending: (link, kind) => read(link, kind).request,
    accepted: (link, kind) => read(link, kind).accepted,
    keep(link, kind, request) {
      const former = read(link, kind);
      if (former.request !== undefined) throw new Error(`${link} ${kind}: a request already waits`);
      write(link, kind, { ...former, request });
    },
    accept(link, kind, accepted) {
      const { request } = read(link, kind);
      write(link, kind, {
        accepted,
        ...(request !== undefined && request.keyPem !== accepted.keyPem && { request }),
      });
    },
    objectsOf(link) {
      return serverKinds.flatMap((kind) => {
        const key = nameOf(keyOf(link), kind);
        const kept = written.get(key);
        return kept === undefined ? [] : [secretOf(link, kind, kept)];
      });
    },
    waiting: () => [...new Set([...written.keys()].map((key) => key.replace(/-(db|vi)-key$/, '')))],
  };
}

/** Kinds for which a person asked by the annotation. */
export function requestedKinds({ metadata }: PacsLink): ServerKind[] {
  const asked = (metadata.annotations?.[requestAnnotation] ?? '').split(',').map((word) => word.trim());
  return serverKinds.filter((kind) => asked.includes(kind));
}

function secretOf(link: PacsLink, kind: ServerKind, kept: Kept): ApplyObject {
  const { name, namespace, uid = '' } = link.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: `${name}-${kind}-key`,
      labels: {
        ...ownLabels,
        [memoryLabel]: 'true',
      },
      ownerReferences: [{ apiVersion: link.apiVersion, kind: link.kind, name, uid, controller: true }],
    },
    type: 'Opaque',
    data: secretData({ 'state.json': JSON.stringify(kept) }),
  };
}
