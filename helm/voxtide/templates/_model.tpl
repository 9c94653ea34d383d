{{/* Where a variant's model comes from. */}}

{{/* nano: in the package; folder: in the image; image: a volume; hub: the cache. */}}
{{- define "voxtide.modelSource" -}}
{{- if eq .model "nano" }}nano
{{- else if .modelImage }}image
{{- else if hasPrefix "/" .model }}folder
{{- else }}hub
{{- end -}}
{{- end -}}

{{/* What `voxtide serve --model` gets. */}}
{{- define "voxtide.modelFolder" -}}
{{- $source := include "voxtide.modelSource" . -}}
{{- if eq $source "image" }}/models
{{- else if eq $source "hub" }}/models/{{ .model | replace "/" "--" }}/{{ .revision }}
{{- else }}{{ .model }}
{{- end -}}
{{- end -}}

{{/* Whether pods fetch their model themselves: "true" or nothing. Takes root and v. */}}
{{- define "voxtide.podFetches" -}}
{{- if and (eq (include "voxtide.modelSource" .v) "hub") (not .root.Values.modelCache.job) }}true{{ end -}}
{{- end -}}

{{/* The volume with the models, as `models`; nothing where none is needed. Takes root and v. */}}
{{- define "voxtide.modelVolume" -}}
{{- $source := include "voxtide.modelSource" .v -}}
{{- $cache := .root.Values.modelCache -}}
{{- if eq $source "image" -}}
- name: models
  image: {reference: {{ .v.modelImage | quote }}, pullPolicy: IfNotPresent}
{{- else if eq $source "hub" -}}
- name: models
  {{- if eq $cache.type "emptyDir" }}
  emptyDir: {sizeLimit: {{ $cache.size }}}
  {{- else if eq $cache.type "hostPath" }}
  hostPath: {path: {{ $cache.hostPath | quote }}, type: Directory}
  {{- else }}
  persistentVolumeClaim: {claimName: {{ include "voxtide.claim" .root }}}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "voxtide.claim" -}}
{{- .Values.modelCache.claim.existing | default (printf "%s-models" (include "voxtide.fullname" .)) -}}
{{- end -}}

{{/* The container that fetches a model, or waits for it. Takes root, v and script. */}}
{{- define "voxtide.fetch" -}}
{{- $python := hasSuffix ".py" .script -}}
name: model
{{ include "voxtide.container" . }}
command: [{{ $python | ternary "python3" "/bin/sh" }}, -c]
args:
  - |
    {{- .root.Files.Get .script | trim | nindent 4 }}
env:
  - {name: MODEL, value: {{ .v.model | quote }}}
  - {name: MODEL_REVISION, value: {{ .v.revision | quote }}}
  - {name: MODEL_FOLDER, value: {{ include "voxtide.modelFolder" .v | quote }}}
  {{- if $python }}
  - {name: HF_HOME, value: /tmp/hub}
  {{- with .root.Values.hub.endpoint }}
  - {name: HF_ENDPOINT, value: {{ . | quote }}}
  {{- end }}
  {{- with include "voxtide.secretEnv" (dict "name" "HF_TOKEN" "secret" .root.Values.hub.token) }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
resources:
  requests: {cpu: 100m, memory: 512Mi}
  limits: {cpu: "2", memory: 4Gi}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: models, mountPath: /models{{ if not $python }}, readOnly: true{{ end }}}
{{- end -}}
