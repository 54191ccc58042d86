{{/* What is common to all: names, labels, environment. */}}

{{- define "tapedeck.name" -}}
{{- /* of (root, kind, name): a StatefulSet's may have 52 characters, for its pods' labels hold more */ -}}
{{- $name := printf "%s-%s" .root.Release.Name .kind -}}
{{- with .name }}{{ $name = printf "%s-%s" $name (. | lower | replace "_" "-") }}{{ end -}}
{{- if gt (len $name) 52 }}{{ fail (printf "%s is longer than 52 characters: choose a shorter release or name" $name) }}{{ end -}}
{{- $name -}}
{{- end }}

{{- define "tapedeck.selector" -}}
app.kubernetes.io/name: tapedeck
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .kind }}
{{- with .name }}
tapedeck/name: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "tapedeck.labels" -}}
{{ include "tapedeck.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "tapedeck.common" -}}
{{- /* labels of what belongs to no single one of ours */ -}}
app.kubernetes.io/name: tapedeck
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "tapedeck.secret" -}}
{{- .Values.secret.existing | default (printf "%s-secret" .Release.Name) -}}
{{- end }}

{{- define "tapedeck.live" -}}
{{- /* of (root, broker): the switch in front of real money, only where it is meant */ -}}
{{- if eq .broker "live" -}}
{{- if ne .root.Values.live "I-understand" }}{{ fail "broker live sends orders with real money: set live to I-understand if you want that" }}{{ end -}}
- name: TAPEDECK_LIVE
  value: {{ .root.Values.live }}
{{- end -}}
{{- end }}
