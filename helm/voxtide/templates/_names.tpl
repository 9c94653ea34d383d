{{/* Names and labels. */}}

{{/* Of the release; at most 40 characters, since a tier's name and a suffix follow. */}}
{{- define "voxtide.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $full | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "voxtide.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "voxtide.fullname" .) "default") -}}
{{- end -}}

{{/* Of all pods of the release. */}}
{{- define "voxtide.selector" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of all pods that serve. */}}
{{- define "voxtide.serverSelector" -}}
{{ include "voxtide.selector" . }}
app.kubernetes.io/component: server
{{- end -}}

{{/* Of a tier's pods; takes root and tier (its name), and track if only that one is meant. */}}
{{- define "voxtide.tierSelector" -}}
{{ include "voxtide.serverSelector" .root }}
voxtide/tier: {{ .tier }}
{{- with .track }}
voxtide/track: {{ . }}
{{- end }}
{{- end -}}

{{/* Of every object. */}}
{{- define "voxtide.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "voxtide.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The metadata of an object; takes root, name, and labels and annotations of its own. */}}
{{- define "voxtide.metadata" -}}
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "voxtide.labels" .root | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
