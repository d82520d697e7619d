/** Generated from crds/*.yaml by `npm run generate`; the suite fails when they differ. Edit the YAML. */

export interface ResourceMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What this site is and who speaks to it. */
export interface DrimboxSiteSpec {
  /** Name of the TrustSpace this site belongs to. Cannot change: what the site published stays in the space it was published in. Unknown: the site is not started (reason TrustSpaceNotFound). */
  readonly trustSpace: string;
  /** The healthcare structure that runs this DRIMbox, as the national directory knows it. */
  readonly structure: {
    /** Struct_IdNat: 1 followed by the FINESS, 3 by the SIRET, or 4 by RPPS and rank. The DMP refuses an id that isn't the certificate's. */
    readonly id: string;
    /** Name of the structure, shown in the DMP. */
    readonly name: string;
  };
  /** XDS sourceId, the OID of this DRIMbox in every submission set. Cannot change: the DMP attributes documents by it. */
  readonly sourceId: string;
  /** OID root under which this DRIMbox makes its UIDs. Absent, they are 2.25 followed by a UUID. Cannot change. */
  readonly uidRoot?: string;
  /** Internal id of this system in audit records. Absent, it is NAMESPACE.NAME. */
  readonly systemId?: string;
  /** IANA time zone of the site; HL7 and DICOM times without zone are read in it. Wrong, and studies appear hours off. */
  readonly timeZone: string;
  /** The RIS that send reports (DB.SO.04). A message whose sender is not listed is refused with AR. */
  readonly ris: readonly {
    /** Your name for it, used in logs and statistics. */
    readonly name: string;
    /** MSH-3 of its messages, exactly. */
    readonly sendingApplication: string;
    /** MSH-4 of its messages, exactly. Absent, any facility is accepted. */
    readonly sendingFacility?: string;
    /** Names of the PacsLinks asked for its studies, in this order until one holds the study (DB.SO.140). Each must exist in this namespace and name this site. */
    readonly pacs: readonly string[];
  }[];
  /** How this site proves itself to the DMP. */
  readonly dmp: {
    /** IGC-Sante ORG certificates of each structure whose reports are published here (DB0 4.5.5). A report of a structure without certificates can't be published. */
    readonly certificates: readonly {
      /** Struct_IdNat of the structure. */
      readonly structureId: string;
      /** Certificate for the TLS connection to the DMP (ORG AUTH_CLI). */
      readonly authentication: {
        /** Secret of type kubernetes.io/tls in this namespace: tls.crt (leaf, then its chain) and tls.key, PEM. On one host, that Secret as YAML in the watched directory, or the folder secrets/NAMESPACE/NAME beneath it with those two files. Missing or not matching: what stood before stays in force and the condition CertificatesReady says which. */
        readonly secretName: string;
      };
      /** Certificate that signs VIHF and submission set (ORG SIGN). */
      readonly signature: {
        /** Secret of type kubernetes.io/tls in this namespace: tls.crt (leaf, then its chain) and tls.key, PEM. On one host, that Secret as YAML in the watched directory, or the folder secrets/NAMESPACE/NAME beneath it with those two files. Missing or not matching: what stood before stays in force and the condition CertificatesReady says which. */
        readonly secretName: string;
      };
    }[];
  };
  /** Where the RIS connect (HL7 over MLLP, in clear within the site's network). */
  readonly mllp: {
    /** TCP port. On one host, each site needs its own. */
    readonly port: number;
    /** Largest message accepted, in MiB; reports embed PDF. Larger ones are refused, and memory is bounded by it. */
    readonly maxMessageMegabytes: number;
  };
  /** Where the PACS send images asked for by C-MOVE, and IOCM objects. */
  readonly dimse: {
    /** TCP port, as configured in the PACS for every AE title of the pool. On one host, each site needs its own. */
    readonly port: number;
  };
  /** Gateways of this site, each in its own pod; more than one needs storage.postgres, and in every aeTitlePool at least as many titles. Gateway i takes the titles at i, i + replicas, ... of each pool, and the PACS must send those to its own DIMSE Service. Two let a node be drained without interruption. On one host there is one gateway. */
  readonly replicas: number;
  /** The local archive (DB.SO.22) - manifests, metadata, inbox and outbox. No images are kept. */
  readonly storage: {
    /** The archive in a PostgreSQL that others run, instead of a volume. Always TLS, and the server's certificate must be for host. It cannot be added or removed later. The gateway makes its tables itself; the database must exist and belong to the user, and to this site alone. */
    readonly postgres?: {
      /** Host name or address, as the server's certificate has it; of CloudNativePG, CLUSTER-rw.NAMESPACE.svc. */
      readonly host: string;
      /** TCP port. On a cluster the network policy opens it. */
      readonly port: number;
      /** Name of the database. */
      readonly database: string;
      /** Who the gateways are to the server. */
      readonly credentials: {
        /** Secret in this namespace with username and password, as those of type kubernetes.io/basic-auth (of CloudNativePG, CLUSTER-app). A new password is followed at once. Missing or incomplete: what stood before stays in force and the condition Accepted says why. */
        readonly secretName: string;
      };
      /** PEM certificates that issued the server's certificate. */
      readonly trust: {
        /** The text itself. */
        readonly inline?: string;
        /** A key of a ConfigMap in this namespace. */
        readonly configMap?: {
          /** Name of the object. */
          readonly name: string;
          /** Key of the object that holds the certificates. */
          readonly key: string;
        };
        /** A key of a Secret in this namespace (of CloudNativePG, CLUSTER-ca). */
        readonly secret?: {
          /** Name of the object. */
          readonly name: string;
          /** Key of the object that holds the certificates. */
          readonly key: string;
        };
      };
    };
    /** Size of the volume on a cluster, in GiB. Can grow, never shrink. On one host it is not enforced; with postgres there is no volume. */
    readonly sizeGiB: number;
    /** StorageClass on a cluster; absent, its default. On one host it has no effect. */
    readonly storageClassName?: string;
    /** What becomes of the archive when this resource is deleted. Retain keeps it (a site made again under the same name finds it). Delete removes it for good; updates of already published manifests are then impossible. */
    readonly whenDeleted: 'Retain' | 'Delete';
  };
  /** How RIS and PACS reach this site on a cluster - they speak plain TCP and cannot pass the ingress. On one host it has no effect. */
  readonly service: {
    /** LoadBalancer gives the site an address of its own, NodePort a port on every node, ClusterIP an address that only pods reach (RIS and PACS inside the cluster, or a gateway of your own in front). */
    readonly type: 'LoadBalancer' | 'NodePort' | 'ClusterIP';
    /** Given to the Service, for the controller of your load balancers (address pool, fixed address). */
    readonly annotations?: {

    };
    /** With storage.postgres, where each gateway has a DIMSE Service of its own: the first of these is given to that of gateway 0, the second to that of gateway 1, and so on, over annotations (a fixed address each, which stands in the PACS). */
    readonly dimseAnnotations?: readonly {

    }[];
    /** Which controller answers for it; absent, the cluster's default. A Service keeps its class until it is made again. */
    readonly loadBalancerClass?: string;
    /** With type LoadBalancer: false gives the Services no ports on the nodes, for a load balancer that reaches pods by itself. Node ports are few (2768 unless the cluster is told otherwise); a site takes three. Counts for Services made from then on. */
    readonly allocateNodePorts: boolean;
    /** Port on the nodes that the RIS sends to, with type NodePort; absent, the cluster chooses one. */
    readonly mllpNodePort?: number;
    /** Port on the nodes that the PACS send images to, with type NodePort; absent, the cluster chooses one. It stands in the PACS configuration for every AE title of the pool, so better fix it. With storage.postgres gateway i has this port plus i. */
    readonly dimseNodePort?: number;
  };
  /** Who may reach this site's gateway on a cluster whose network enforces NetworkPolicies. On one host it has no effect. */
  readonly network: {
    /** Addresses of the RIS and PACS that may open MLLP and DIMSE connections, as CIDR. Narrow it - neither protocol knows who calls. A load balancer that replaces the caller's address must keep it (externalTrafficPolicy Local, which we set). */
    readonly sources: readonly string[];
  };
  /** What the gateway's pod asks of its node. On one host it has no effect. */
  readonly resources: {
    /** CPU kept free for it, in thousandths of a core. It may use more; a series of 200 MB takes about 0.6 s of one core. */
    readonly cpuMillicores: number;
    /** Memory it asks for and may never exceed, in MiB. Measured peak is 233 MB while a series of 200 MB is streamed; about 20 MB more per series at the same time. */
    readonly memoryMegabytes: number;
  };
  /** Least severe level logged. debug is verbose, never use it for long; no level logs patient data. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** True leaves the running gateway exactly as it is and ignores changes to this site and its PacsLinks, for maintenance by hand. Certificates then are not rotated either. */
  readonly paused: boolean;
}

/** What the operator and the gateway observed. */
export interface DrimboxSiteStatus {
  /** Generation of the spec these conditions speak of; smaller than metadata.generation means still working on it. */
  readonly observedGeneration?: number;
  /** Ready, Accepted, CertificatesReady, WhitelistVerified, WorkloadAvailable, ReplicasReady (with several gateways), ArchiveReady (with storage.postgres), PacsReachable, DmpReachable, Paused; Stalled while only a person can mend it. */
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  }[];
  /** Gateways that serve, of those wanted, as 1/2; absent where there is one. */
  readonly gateways?: string;
  /** PACS that answer, of those linked, as 2/3. */
  readonly pacs?: string;
  /** The earliest end of validity among this site's certificates, those of its PacsLinks included. */
  readonly certificateExpiry?: string;
  /** Revision of the configuration the gateway has in force; of several gateways each that one has, while they differ. */
  readonly revision?: string;
}

/** One imaging site: a DRIMbox with its own identity towards the DMP, its RIS and, through PacsLinks, its PACS. The operator runs one gateway for it, or several on an archive that they share. */
export interface DrimboxSite {
  readonly apiVersion: 'drimbox.dev/v1alpha1';
  readonly kind: 'DrimboxSite';
  readonly metadata: ResourceMetadata & { readonly namespace: string };
  readonly spec: DrimboxSiteSpec;
  readonly status?: DrimboxSiteStatus;
}

/** The PACS and its two public names. */
export interface PacsLinkSpec {
  /** Name of the DrimboxSite in this namespace. Cannot change, manifests already name this link. Unknown - the link is not served. */
  readonly site: string;
  /** The PACS as a DICOM node. */
  readonly node: {
    /** Host name or address. */
    readonly host: string;
    /** DIMSE port, often 104 or 11112. */
    readonly port: number;
    /** Its AE title. Many PACS refuse an association called otherwise. */
    readonly aeTitle: string;
  };
  /** Our AE title when we ask (C-ECHO, C-FIND, C-MOVE). The PACS must know it. */
  readonly callingAeTitle: string;
  /** Our AE titles as C-MOVE destinations, each configured in the PACS with this host and the site's dimse port. One is held by each C-MOVE at work, so that images arriving are attributed without doubt (DB0 4.8). Too few and callers wait. With several gateways (replicas of the site) gateway i takes the titles at i, i + replicas, ..., each configured in the PACS with its own DIMSE address. */
  readonly aeTitlePool: readonly string[];
  /** OID of this PACS as place of retrieval, (0040,E011) of every manifest and Repository Unique ID of audit records. Allocate one per link. Cannot change, it is in manifests. */
  readonly retrieveLocationUid: string;
  /** WADO-RS, for other DRIMboxes - mutual TLS with IGC-Sante certificates. */
  readonly db: {
    /** DNS name, written into the RetrieveURL of every manifest and listed in the liste blanche. Cannot change. Must be unique among all links - of two, the older one is served. */
    readonly fqdn: string;
    /** IGC-Sante SSL_SERV certificate for this name. */
    readonly certificate: {
      /** Secret of type kubernetes.io/tls in this namespace: tls.crt (leaf, then its chain) and tls.key, PEM. On one host, that Secret as YAML in the watched directory, or the folder secrets/NAMESPACE/NAME beneath it with those two files. Replacing its content rotates the certificate without cutting a connection. */
      readonly secretName: string;
    };
  };
  /** The viewer, for browsers - server TLS. */
  readonly vi: {
    /** DNS name, written into reports. Cannot change. Must be unique among all links. */
    readonly fqdn: string;
    /** Market certificate for this name, at least OV (DB.SO.90). An IGC-Sante one would warn every browser. */
    readonly certificate: {
      /** Secret of type kubernetes.io/tls in this namespace: tls.crt (leaf, then its chain) and tls.key, PEM. On one host, that Secret as YAML in the watched directory, or the folder secrets/NAMESPACE/NAME beneath it with those two files. Replacing its content rotates the certificate without cutting a connection. */
      readonly secretName: string;
    };
  };
  /** How much this PACS, and this link, may be asked for at once. */
  readonly limits: {
    /** C-MOVE operations at once (DB.SO.121), at most the size of aeTitlePool. More is faster until the PACS suffers. With several gateways each does so many, at most one with each of its titles. */
    readonly maxConcurrentMoves: number;
    /** TLS connections at once on each of the two FQDNs; further ones are closed. */
    readonly maxConnections: number;
    /** HTTP requests at once on each of the two FQDNs; further ones get 503. */
    readonly maxRequests: number;
  };
  /** Roots of SOPInstanceUIDs left out of manifests and retrieval alike (DB.SO.199), for instance results of an AI not validated. */
  readonly excludedSopInstanceRoots: readonly string[];
  /** StudyInstanceUID of the reference exam; it skips the checks against the manifest, for performance tests (DB0 4.5.11.3). Never a patient's. */
  readonly referenceStudyUid?: string;
  /** C-FIND at IMAGE level with the study's UID alone. auto: when the PACS negotiates it; always or never for a PACS that lies about it. */
  readonly relationalQueries: 'auto' | 'always' | 'never';
  /** How long to wait for the PACS. */
  readonly timeouts: {
    /** For the connection and the association, in seconds. */
    readonly connectSeconds: number;
    /** Longest silence within one operation, in seconds; beyond it the caller gets E1005 (DB0 4.5.11.3). A PACS fetching from tape needs more. */
    readonly responseSeconds: number;
  };
  /** Compare identity (INS or IPP) and birth date of the PACS with the report's (DB.SO.16, DB.SO.191). False publishes images of whomever the PACS says. */
  readonly patientChecks: boolean;
}

/** What the operator and the gateway observed. */
export interface PacsLinkStatus {
  /** Generation of the spec these conditions speak of; smaller than metadata.generation means still working on it. */
  readonly observedGeneration?: number;
  /** Ready, Accepted, CertificatesReady, PacsReachable, IngressProgrammed; Stalled while only a person can mend it. */
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  }[];
  /** The earliest end of validity of the two certificates. */
  readonly certificateExpiry?: string;
  /** Keys made by the operator that wait for their certificate: give csr to the PFC portal (db) or to a market authority (vi), then put what it signed as tls.crt alone into the Secret, or run drimbox certificate accept. */
  readonly certificateRequests?: readonly {
    readonly kind: 'db' | 'vi';
    readonly fqdn: string;
    readonly csr: string;
    readonly requestedAt: string;
  }[];
  /** When the PACS last answered a C-ECHO. */
  readonly lastEchoTime?: string;
}

/** One PACS of a DrimboxSite: where it is, how to ask it for images, and the two names (db and vi) under which other DRIMboxes and browsers reach them. */
export interface PacsLink {
  readonly apiVersion: 'drimbox.dev/v1alpha1';
  readonly kind: 'PacsLink';
  readonly metadata: ResourceMetadata & { readonly namespace: string };
  readonly spec: PacsLinkSpec;
  readonly status?: PacsLinkStatus;
}

/** What the sites of this trust space share. */
export interface TrustSpaceSpec {
  /** PROD, or TEST for the ANS test space. Decides which guards apply (see the rules of this schema). Cannot change: a test space becoming production would carry its test trust along; make a new TrustSpace instead. */
  readonly environment: 'PROD' | 'TEST';
  /** The liste blanche: the signed list of DRIMboxes that may exchange images (DB.CS.147, DB.CS.151). Without a verified list no image is served. */
  readonly whitelist: {
    /** Where the signed XML is fetched. For PROD, the raw file of https://github.com/ansforge/DRIM-M_liste-blanche. Unreachable: the list in force stays until maximumAgeHours. One of url and document. */
    readonly url?: string;
    /** The signed XML itself, byte for byte as published, for hosts without way out to the Internet. Refreshing it each day is then up to you, maximumAgeHours does not apply. One of url and document. */
    readonly document?: {
      /** The text itself. For short, public material (certificates); a changed byte changes the meaning. */
      readonly inline?: string;
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly configMap?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly secret?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
    };
    /** Whose signature is accepted (DB.CS.151); both must match the signing certificate exactly. */
    readonly signer: {
      /** CN of the signing certificate. PROD: Liste Blanche DRIM-M PROD. TEST: Liste Blanche DRIM-M. */
      readonly commonName: string;
      /** OU of the signing certificate, the SIRET of the Agence du Numerique en Sante with prefix 3. */
      readonly organizationalUnit: string;
    };
    /** Hours between two fetches. The specification asks for one a day (DB.CS.147); shorter burdens the publisher. */
    readonly refreshHours: number;
    /** Hours the last good list stays in force when no newer good one can be had. Longer keeps images flowing through an outage, and keeps believing a partner who may have been removed. After it, WADO stops. */
    readonly maximumAgeHours: number;
    /** Refuse the list when the signer's revocation can't be checked from crls. Must be true in PROD. False lets tests run without the CRLs. */
    readonly requireRevocation: boolean;
  };
  /** IGC-Sante certificates believed here, PEM, one after the other: the root and every intermediate (ACR-EL, ACI-EL-ORG and the server intermediate). Used for the whitelist's signer and for the certificates of other DRIMboxes. A missing intermediate refuses all who were issued by it. */
  readonly anchors: {
    /** The text itself. For short, public material (certificates); a changed byte changes the meaning. */
    readonly inline?: string;
    /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
    readonly configMap?: {
      /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
      readonly namespace: string;
      /** Name of the object. */
      readonly name: string;
      /** Key within its data. */
      readonly key: string;
    };
    /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
    readonly secret?: {
      /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
      readonly namespace: string;
      /** Name of the object. */
      readonly name: string;
      /** Key within its data. */
      readonly key: string;
    };
  };
  /** Certificate revocation lists, one for each authority in anchors (DB.SO.111, DB.CO.185). An authority without a list, or with an expired one, refuses everyone it issued. */
  readonly crls: {
    /** Each gives one or more CRLs, PEM or DER. Empty: those that the anchors and the db certificates name (cRLDistributionPoints, http only). */
    readonly sources: readonly {
      /** Fetched every refreshHours, or twice in its life when that is sooner; http alone, because a CRL is signed, and the check of a server's certificate would need it (for example http://igc-sante.esante.gouv.fr/CRL/ACI-EL-ORG.crl). Unreachable: the last one stays until it expires. */
      readonly url?: string;
      /** The PEM text itself. */
      readonly inline?: string;
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly configMap?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly secret?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
    }[];
    /** Hours between two fetches of the urls. Must be well below the life of the CRLs (IGC-Sante publishes daily). */
    readonly refreshHours: number;
  };
  /** How the bearer token of a caller is checked (RFC 7662, at Pro Sante Connect or a proxy e-Sante; DB.SO.34). */
  readonly introspection: {
    /** rfc7662: each token is introspected. disabled: none is, for ANS homologation sessions only (TEST). */
    readonly mode: 'rfc7662' | 'disabled';
    /** Introspection endpoint. */
    readonly url?: string;
    /** Client identifier registered with Pro Sante Connect; it is also the CN of the client certificate. */
    readonly clientId?: string;
    /** Secret of type kubernetes.io/tls (tls.crt with its chain, tls.key) presented to the endpoint: the IGC-Sante certificate whose CN is clientId. Expired: every retrieval is refused with E1003. */
    readonly clientCertificate?: {
      /** Namespace of the Secret. */
      readonly namespace: string;
      /** Name of the Secret. */
      readonly name: string;
    };
    /** PEM certificates that issued the endpoint's server certificate. */
    readonly trust?: {
      /** The text itself. For short, public material (certificates); a changed byte changes the meaning. */
      readonly inline?: string;
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly configMap?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly secret?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
    };
    /** Longest wait for an answer, in seconds. Added to the time to the first image, which has 2 s in all (DB0 4.13). */
    readonly timeoutSeconds: number;
  };
  /** The DMP (dossier medical partage) that manifests are published to. */
  readonly dmp: {
    /** Base URL up to /services, for example https://HOST/si-dmp-server/v2/services. */
    readonly url: string;
    /** PEM certificates that issued the DMP's server certificate. */
    readonly trust: {
      /** The text itself. For short, public material (certificates); a changed byte changes the meaning. */
      readonly inline?: string;
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly configMap?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
      /** A key of a ConfigMap (public material) or Secret. On a cluster, the object of that name; on one host, either that object as YAML in the watched directory, or the file configmaps/NAMESPACE/NAME/KEY (secrets/NAMESPACE/NAME/KEY) beneath it. Missing: the condition AnchorsResolved is False and what stood before stays in force. */
      readonly secret?: {
        /** Namespace of the object; a TrustSpace belongs to none, so it must be said. */
        readonly namespace: string;
        /** Name of the object. */
        readonly name: string;
        /** Key within its data. */
        readonly key: string;
      };
    };
    /** Number of the CNDA homologation, sent in every VIHF (DB.CS.159). The DMP refuses an unknown one. */
    readonly homologationId: string;
    /** Longest wait for one answer, in seconds. Too short and a publication that succeeded is sent again. */
    readonly timeoutSeconds: number;
    /** A publication the DMP could not take is tried again, waiting longer each time. */
    readonly retry: {
      /** First wait, in seconds. */
      readonly initialSeconds: number;
      /** Longest wait, in seconds. */
      readonly maximumSeconds: number;
    };
  };
  /** How the sites are reached from outside. */
  readonly ingress: {
    /** HTTPS port that other DRIMboxes connect to. 443 is left out of the RetrieveURL; another is written into every manifest, so changing it later means republishing. */
    readonly publicPort: number;
    /** Addresses of the national supervision ("meteo") that may ask for health on the vi FQDNs, as CIDR. Empty: nobody may. */
    readonly weatherProbes: readonly string[];
  };
}

/** What the operator observed. */
export interface TrustSpaceStatus {
  /** Generation of the spec these conditions speak of; smaller than metadata.generation means still working on it. */
  readonly observedGeneration?: number;
  /** Ready, WhitelistVerified, AnchorsResolved, CrlFresh, and Stalled while only a person can mend it; each with a reason and what to do. */
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  }[];
  /** The list in force. */
  readonly whitelist?: {
    /** DateDeGeneration, ISO 8601. */
    readonly generatedAt?: string;
    /** When it was last had and verified. */
    readonly fetchedAt?: string;
    /** Number of DRIMboxes in it. */
    readonly domains?: number;
  };
  /** The earliest nextUpdate of the CRLs in force. */
  readonly crlExpiry?: string;
  /** Number of DrimboxSites in this trust space. */
  readonly sites?: number;
}

/** A trust space: PROD or TEST. It says whom the DRIMboxes in it believe (IGC-Sante anchors, CRLs, whitelist) and which national services they speak to (DMP, Pro Sante Connect). The two must never mix: a site belongs to exactly one. */
export interface TrustSpace {
  readonly apiVersion: 'drimbox.dev/v1alpha1';
  readonly kind: 'TrustSpace';
  readonly metadata: ResourceMetadata;
  readonly spec: TrustSpaceSpec;
  readonly status?: TrustSpaceStatus;
}
