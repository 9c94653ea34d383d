{{/* What all pods of the chart have in common. Takes the root. */}}
{{- define "voxtide.podBasics" -}}
serviceAccountName: {{ include "voxtide.serviceAccount" . }}
automountServiceAccountToken: false
# A Service called voxtide would put variables into pods that look like settings.
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What all containers have in common. Takes root and v. */}}
{{- define "voxtide.container" -}}
{{- $image := .root.Values.image -}}
{{- $reference := printf "%s:%s" $image.repository (.v.imageTag | default $image.tag | default .root.Chart.AppVersion) -}}
{{- if and $image.digest (not .v.imageTag) -}}
{{- $reference = printf "%s@%s" $image.repository $image.digest -}}
{{- end -}}
image: {{ $reference | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
{{- end -}}

{{/* A variable from a Secret, if there is one. Takes name and secret (existingSecret, entry). */}}
{{- define "voxtide.secretEnv" -}}
{{- with .secret.existingSecret -}}
- name: {{ $.name }}
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: {{ $.secret.entry | quote }}}}
{{- end -}}
{{- end -}}

{{/* The server's configuration file. Takes root and v. */}}
{{- define "voxtide.config" -}}
{{- $own := dict "drain_seconds" (include "voxtide.drainSeconds" .v | int) -}}
{{- if .root.Values.auth.keysFile.existingSecret -}}
{{- $_ := set $own "keys_file" (printf "/etc/voxtide/keys/%s" .root.Values.auth.keysFile.entry) -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite (deepCopy .v.config) $own) -}}
{{- end -}}

{{- define "voxtide.probe" -}}
httpGet: {path: /health/{{ .path }}, port: http}
{{ toYaml .probe }}
{{- end -}}

{{/* The container that serves. Takes root and v. */}}
{{- define "voxtide.server" -}}
{{- $v := .v -}}
{{- $source := include "voxtide.modelSource" $v -}}
name: server
{{ include "voxtide.container" . }}
command: [voxtide, serve]
args:
  - --model={{ include "voxtide.modelFolder" $v }}
  {{- $own := has $source (list "hub" "image") | ternary (list $v.model) list }}
  {{- with $v.servedNames | default $own }}
  - --served-model-name
  {{- toYaml . | nindent 2 }}
  {{- end }}
  - --delay-ms={{ $v.delayMs }}
  - --host=0.0.0.0
  - --port=8000
  - --grace-seconds={{ $v.drain.stopSeconds }}
  {{- with $v.profile }}
  - --profile={{ . }}
  {{- end }}
  {{- with $v.vllmArgs }}
  - --
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  - {name: VOXTIDE_CONFIG, value: /etc/voxtide/config/config.yaml}
  - {name: HOME, value: /cache}
  - {name: XDG_CACHE_HOME, value: /cache}
  {{- range $name, $key := dict "VOXTIDE_KEY" "key" "VOXTIDE_SIGNING_SECRET" "signingSecret" }}
  {{- with include "voxtide.secretEnv" (dict "name" $name "secret" (get $.root.Values.auth $key)) }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with $v.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - {name: http, containerPort: 8000}
startupProbe:
  {{- include "voxtide.probe" (dict "path" "startup" "probe" $v.probes.startup) | nindent 2 }}
readinessProbe:
  {{- include "voxtide.probe" (dict "path" "ready" "probe" $v.probes.readiness) | nindent 2 }}
livenessProbe:
  {{- include "voxtide.probe" (dict "path" "live" "probe" $v.probes.liveness) | nindent 2 }}
lifecycle:
  preStop:
    exec:
      command:
        - /bin/sh
        - -c
        - sleep {{ $v.drain.propagationSeconds }}; exec voxtide drain --host 0.0.0.0 --port 8000
resources:
  {{- toYaml $v.resources | nindent 2 }}
volumeMounts:
  - {name: config, mountPath: /etc/voxtide/config, readOnly: true}
  {{- if .root.Values.auth.keysFile.existingSecret }}
  # The whole Secret, not one file of it: only so a change of it comes through.
  - {name: keys, mountPath: /etc/voxtide/keys, readOnly: true}
  {{- end }}
  - {name: tmp, mountPath: /tmp}
  - {name: cache, mountPath: /cache}
  - {name: shm, mountPath: /dev/shm}
  {{- if has $source (list "hub" "image") }}
  - {name: models, mountPath: /models, readOnly: true}
  {{- end }}
{{- end -}}

{{/* The template of a Deployment's pods. Takes root and v. */}}
{{- define "voxtide.pod" -}}
{{- $v := .v -}}
{{- $selector := include "voxtide.tierSelector" (dict "root" .root "tier" $v.name "track" $v.track) -}}
metadata:
  labels:
    {{- $selector | nindent 4 }}
    {{- with mustMerge (deepCopy $v.podLabels) .root.Values.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "voxtide.config" . | sha256sum }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "voxtide.podBasics" .root | nindent 2 }}
  terminationGracePeriodSeconds: {{ include "voxtide.graceSeconds" $v }}
  {{- range $field := list "runtimeClassName" "priorityClassName" "nodeSelector" "tolerations" "affinity" }}
  {{- with get $v $field }}
  {{- toYaml (dict $field .) | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with $v.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - {{ toYaml . | nindent 6 | trim }}
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- $selector | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- if eq (include "voxtide.modelSource" $v) "hub" }}
  initContainers:
    {{- $script := include "voxtide.podFetches" . | empty | ternary "files/await.sh" "files/fetch.py" }}
    - {{ include "voxtide.fetch" (dict "root" .root "v" $v "script" $script) | nindent 6 | trim }}
  {{- end }}
  containers:
    - {{ include "voxtide.server" . | nindent 6 | trim }}
  volumes:
    - name: config
      configMap: {name: {{ $v.fullname }}}
    {{- with .root.Values.auth.keysFile.existingSecret }}
    - name: keys
      secret: {secretName: {{ . | quote }}}
    {{- end }}
    - name: tmp
      emptyDir: {}
    - name: cache
      emptyDir: {}
    - name: shm
      emptyDir: {medium: Memory, sizeLimit: {{ $v.sharedMemory }}}
    {{- with include "voxtide.modelVolume" . }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end -}}
