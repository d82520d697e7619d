{{/*
What the operator may do where sites live, one role per concern. It watches, and writes by server-side apply: patch, and create for
what is not there yet. It deletes nothing but its own ConfigMaps, and the Services of gateways that are not wanted any more; everything else goes
with its owner, by the cluster.
*/}}
{{- define "drimbox.concerns" -}}
sites:
  - apiGroups: [drimbox.dev]
    resources: [drimboxsites, pacslinks]
    verbs: [get, list, watch]
  # Never the resources themselves: whoever wrote them owns their spec.
  - apiGroups: [drimbox.dev]
    resources: [drimboxsites/status, pacslinks/status]
    verbs: [patch]
  # To be named as an owner that waits for what it owns, where OwnerReferencesPermissionEnforcement is on (OpenShift).
  - apiGroups: [drimbox.dev]
    resources: [drimboxsites/finalizers]
    verbs: [update]
workloads:
  - apiGroups: [""]
    resources: [services, persistentvolumeclaims]
    verbs: [list, watch, create, patch]
  # Each of several gateways has one of its own, and with it an address: it goes when the site has fewer gateways.
  - apiGroups: [""]
    resources: [services]
    verbs: [delete]
  - apiGroups: [apps]
    resources: [statefulsets]
    verbs: [list, watch, create, patch]
  - apiGroups: [networking.k8s.io]
    resources: [networkpolicies]
    verbs: [list, watch, create, patch]
  - apiGroups: [policy]
    resources: [poddisruptionbudgets]
    verbs: [list, watch, create, patch]
secrets:
  # Certificates that sites name are read; a site's files and keys made here are written. Watched as metadata alone.
  - apiGroups: [""]
    resources: [secrets]
    verbs: [get, list, watch, create, patch]
documents:
  # Configurations and whitelists; a shorter list leaves ConfigMaps over, which are deleted.
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list, watch, create, patch, delete]
pods:
  # An annotation makes the node look at changed files at once.
  - apiGroups: [""]
    resources: [pods]
    verbs: [list, watch, patch]
events:
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [create, patch]
{{- end }}

{{/* In its own namespace when sites live in others: it looks there too, and writes its own documents and two Secrets. */}}
{{- define "drimbox.ownRules" -}}
- apiGroups: [drimbox.dev]
  resources: [drimboxsites, pacslinks]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [services, persistentvolumeclaims, pods]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [drimbox-internal-authority, drimbox-ingress-control]
  verbs: [create, patch]
{{- end }}

{{/* dict root, name, namespace (empty: of the cluster), rules */}}
{{- define "drimbox.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "drimbox.selector.operator" .root | nindent 4 }}
    {{- include "drimbox.labels" .root | nindent 4 }}
rules:
  {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "drimbox.selector.operator" .root | nindent 4 }}
    {{- include "drimbox.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "drimbox.operator" .root }}
    namespace: {{ .root.Release.Namespace }}
---
{{ end }}
