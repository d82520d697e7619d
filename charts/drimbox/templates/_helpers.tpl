{{/* Names are fixed: the operator's Lease and Secrets are, so there is one installation per namespace. */}}
{{- define "drimbox.operator" -}}drimbox-operator{{- end }}
{{- define "drimbox.ingress" -}}drimbox-ingress{{- end }}

{{/* Name of an object without a namespace: installations in two namespaces must not share it. */}}
{{- define "drimbox.clusterName" -}}
{{ printf "drimbox-operator-%s" .Release.Namespace }}
{{- end }}

{{- define "drimbox.selector.operator" -}}
app.kubernetes.io/name: drimbox-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "drimbox.selector.ingress" -}}
app.kubernetes.io/name: drimbox-ingress
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "drimbox.labels" -}}
app.kubernetes.io/part-of: drimbox
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* dict image, appVersion */}}
{{- define "drimbox.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .appVersion }}
{{- end -}}
{{- end }}

{{- define "drimbox.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "drimbox.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Over nodes, then zones, where there are several; a single node is no reason not to run. Argument: pod labels as YAML. */}}
{{- define "drimbox.spread" -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- $ | nindent 6 }}
{{- end }}
{{- end }}

{{- define "drimbox.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "drimbox.pullSecrets" -}}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
