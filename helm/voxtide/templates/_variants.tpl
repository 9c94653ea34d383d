{{/*
What is deployed: for each tier its stable pods, and its canary if it has one.

A JSON list of tiers' values, complete, each with
  name      of the tier
  track     stable or canary
  fullname  of the Deployment
  imageTag  of the canary, or nothing
  share     canary: percent of the tier's pods that it is
  scaled    canary: whether the tier's other pods are autoscaled
*/}}
{{- define "voxtide.variants" -}}
{{- $variants := list -}}
{{- $full := include "voxtide.fullname" . -}}
{{- range $name, $own := .Values.tiers | default (dict "live" dict) -}}
  {{- $tier := mustMergeOverwrite (deepCopy $.Values.tier) (deepCopy $own) -}}
  {{- $_ := set $tier "config" (mustMergeOverwrite (deepCopy $.Values.config) $tier.config) -}}
  {{- $stable := mustMergeOverwrite (deepCopy $tier) (dict "name" $name "track" "stable" "fullname" (printf "%s-%s" $full $name) "imageTag" "") -}}
  {{- $variants = append $variants (include "voxtide.pruned" $stable | fromJson) -}}
  {{- if $tier.canary.enabled -}}
    {{- $variants = append $variants (include "voxtide.canary" $stable | fromJson | include "voxtide.pruned" | fromJson) -}}
  {{- end -}}
{{- end -}}
{{- toJson $variants -}}
{{- end -}}

{{/* A map as JSON without what is null, at any depth: so an entry is taken out of a default. */}}
{{- define "voxtide.pruned" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
  {{- if kindIs "map" $value -}}
    {{- $_ := set $kept $key (include "voxtide.pruned" $value | fromJson) -}}
  {{- else if not (kindIs "invalid" $value) -}}
    {{- $_ := set $kept $key $value -}}
  {{- end -}}
{{- end -}}
{{- toJson $kept -}}
{{- end -}}

{{/* The canary of a tier's stable pods, which it takes; nothing scales it. */}}
{{- define "voxtide.canary" -}}
{{- $c := .canary -}}
{{- $others := subf 100 $c.weight -}}
{{- $fewest := include "voxtide.fewestPods" . | atoi -}}
{{- $replicas := $c.replicas | default (divf (mulf $fewest $c.weight) $others | addf 0.5 | int | max 1) -}}
{{- $share := divf (mulf 100 $replicas) (addf $replicas $fewest) -}}
{{- $own := dict "track" "canary" "fullname" (printf "%s-canary" .fullname) "imageTag" $c.imageTag "replicas" $replicas "share" $share "scaled" (ne .autoscaling.type "none") -}}
{{- $canary := mustMergeOverwrite (deepCopy .) (deepCopy $c.tier) $own -}}
{{- $_ := set $canary.autoscaling "type" "none" -}}
{{- toJson $canary -}}
{{- end -}}

{{/* How many pods a variant has at least. */}}
{{- define "voxtide.fewestPods" -}}
{{- eq .autoscaling.type "none" | ternary .replicas .autoscaling.minReplicas -}}
{{- end -}}

{{/* A JSON list of the tiers: their stable variants. */}}
{{- define "voxtide.tiers" -}}
{{- $tiers := list -}}
{{- range include "voxtide.variants" . | fromJsonArray -}}
  {{- if eq .track "stable" }}{{ $tiers = append $tiers . }}{{ end -}}
{{- end -}}
{{- toJson $tiers -}}
{{- end -}}
