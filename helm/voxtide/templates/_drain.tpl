{{/*
How a pod ends. In the time that Kubernetes gives it (terminationGracePeriodSeconds):

  propagationSeconds  preStop waits: the cluster still sends new sessions, and they are served
  drain seconds       `voxtide drain`: nobody new, open turns end
  5 s                 what the server gives to what is left then (docs/operations.md)
  stopSeconds         vLLM stops

All take a variant.
*/}}

{{- define "voxtide.drainSeconds" -}}
{{- kindIs "invalid" .drain.seconds | ternary (.config.session_seconds | default 600) .drain.seconds | ceil | int -}}
{{- end -}}

{{/* What the four need. */}}
{{- define "voxtide.endSeconds" -}}
{{- add .drain.propagationSeconds (include "voxtide.drainSeconds" .) 5 .drain.stopSeconds -}}
{{- end -}}

{{- define "voxtide.graceSeconds" -}}
{{- .terminationGracePeriodSeconds | default (add (include "voxtide.endSeconds" .) 10) | int -}}
{{- end -}}
