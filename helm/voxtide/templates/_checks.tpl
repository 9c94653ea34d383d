{{/*
What cannot be: each fails with one sentence. A value that is wrong by itself is found by
values.schema.json; here is what does not go together.
*/}}

{{- define "voxtide.checks" -}}
{{- include "voxtide.checkRelease" . -}}
{{- include "voxtide.checkCache" . -}}
{{- include "voxtide.checkHosts" . -}}
{{- range include "voxtide.variants" . | fromJsonArray -}}
  {{- $variant := dict "root" $ "v" . "at" (printf "tier %s%s" .name (eq .track "canary" | ternary " (canary)" "")) -}}
  {{- include "voxtide.checkTime" $variant -}}
  {{- include "voxtide.checkModel" $variant -}}
  {{- include "voxtide.checkServer" $variant -}}
  {{- include "voxtide.checkReplicas" $variant -}}
  {{- include "voxtide.checkCanary" $variant -}}
{{- end -}}
{{- end -}}

{{/* Keys and monitoring. */}}
{{- define "voxtide.checkRelease" -}}
{{- $v := .Values -}}
{{- if and $v.test.enabled $v.auth.keysFile.existingSecret (not $v.auth.key.existingSecret) (not $v.test.apiKey.existingSecret) -}}
  {{- fail "test.apiKey.existingSecret is missing: auth.keysFile holds hashes, and `helm test` needs a key (or test.enabled: false)." -}}
{{- end -}}
{{- if and $v.config.guard_metrics (ne $v.metrics.monitor "none") (not $v.metrics.apiKey.existingSecret) -}}
  {{- fail "metrics.apiKey.existingSecret is missing: with config.guard_metrics, Prometheus needs a key." -}}
{{- end -}}
{{- if and $v.metrics.rules.enabled (not (.Files.Get "files/alerts.yaml")) -}}
  {{- fail "metrics.rules.enabled needs files/alerts.yaml, which this copy of the chart does not have." -}}
{{- end -}}
{{- if and $v.metrics.dashboard.enabled (not (.Files.Get "files/dashboard.json")) -}}
  {{- fail "metrics.dashboard.enabled needs files/dashboard.json, which this copy of the chart does not have." -}}
{{- end -}}
{{- end -}}

{{- define "voxtide.checkCache" -}}
{{- $cache := .Values.modelCache -}}
{{- if and (eq $cache.type "hostPath") (not $cache.hostPath) -}}
  {{- fail "modelCache.hostPath is missing: modelCache.type is hostPath." -}}
{{- end -}}
{{- if and $cache.job (ne $cache.type "claim") -}}
  {{- fail (printf "modelCache.job needs modelCache.type claim: what a Job fetches into %s, other pods do not see." $cache.type) -}}
{{- end -}}
{{- end -}}

{{/* Ways in. */}}
{{- define "voxtide.checkHosts" -}}
{{- $tiers := include "voxtide.tiers" . | fromJsonArray -}}
{{- $routed := .Values.httpRoute.enabled -}}
{{- if and $routed (not .Values.httpRoute.parentRefs) -}}
  {{- fail "httpRoute.parentRefs is empty: a route needs a gateway." -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $tier := $tiers -}}
  {{- if and (not .hosts) $.Values.ingress.enabled -}}
    {{- fail (printf "tier %s: hosts is empty: the Ingress would not lead to it." .name) -}}
  {{- end -}}
  {{- if and (not .hosts) $routed (gt (len $tiers) 1) -}}
    {{- fail (printf "tier %s: hosts is empty: with several tiers, the HTTPRoute tells them apart by host name." .name) -}}
  {{- end -}}
  {{- range .hosts -}}
    {{- if hasKey $seen . -}}
      {{- fail (printf "tier %s: host %s leads to tier %s already." $tier.name . (get $seen .)) -}}
    {{- end -}}
    {{- $_ := set $seen . $tier.name -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* How long a pod may take to end. */}}
{{- define "voxtide.checkTime" -}}
{{- $drain := include "voxtide.drainSeconds" .v | int -}}
{{- $session := .v.config.session_seconds -}}
{{- if and $session (gt $drain (int (ceil $session))) -}}
  {{- fail (printf "%s: drain.seconds %d is longer than any session lasts (config.session_seconds %v)." .at $drain $session) -}}
{{- end -}}
{{- $need := include "voxtide.endSeconds" .v | int -}}
{{- $grace := include "voxtide.graceSeconds" .v | int -}}
{{- if lt $grace $need -}}
  {{- fail (printf "%s: terminationGracePeriodSeconds %d cuts sessions off: ending takes up to %d s (%d before the drain, %d of drain, 5, and %d to stop)." .at $grace $need (int .v.drain.propagationSeconds) $drain (int .v.drain.stopSeconds)) -}}
{{- end -}}
{{- end -}}

{{- define "voxtide.checkModel" -}}
{{- $v := .v -}}
{{- $cache := .root.Values.modelCache -}}
{{- if and (eq $v.model "nano") $v.modelImage -}}
  {{- fail (printf "%s: modelImage has no use with nano, which is in the image." .at) -}}
{{- end -}}
{{- if and (eq $v.model "nano") (not (has (int $v.delayMs) (list 240 480 960 2400))) -}}
  {{- fail (printf "%s: nano was not trained for a delay of %d ms: delayMs is 240, 480, 960 or 2400." .at (int $v.delayMs)) -}}
{{- end -}}
{{- if and $v.modelImage (semverCompare "<1.33-0" .root.Capabilities.KubeVersion.Version) -}}
  {{- fail (printf "%s: modelImage needs Kubernetes 1.33 or later, this is %s." .at .root.Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if eq (include "voxtide.modelSource" $v) "hub" -}}
  {{- if not (contains "/" $v.model) -}}
    {{- fail (printf "%s: model %s is no id on the hub (OWNER/NAME), no folder (/...) and not nano; with modelImage any name will do." .at $v.model) -}}
  {{- end -}}
  {{- if and $cache.job (not (regexMatch "^[0-9a-f]{40}$" $v.revision)) -}}
    {{- fail (printf "%s: modelCache.job needs a revision that is a commit (40 digits): %s may move after the Job has run." .at $v.revision) -}}
  {{- end -}}
  {{- $onOneNode := not (or $cache.claim.existing (has "ReadWriteMany" $cache.claim.accessModes)) -}}
  {{- $pods := addf (include "voxtide.fewestPods" $v | int) $v.rollout.maxSurge -}}
  {{- if and (eq $cache.type "claim") $onOneNode (gt $pods 1.0) -}}
    {{- fail (printf "%s: modelCache.claim.accessModes without ReadWriteMany holds only one pod, and a rollout has %v: rollout.maxSurge: 0, or another class of storage." .at $pods) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "voxtide.checkServer" -}}
{{- $at := .at -}}
{{- if .v.config.guard_health -}}
  {{- fail (printf "%s: config.guard_health cannot be: probes have no key." .at) -}}
{{- end -}}
{{- range .v.vllmArgs -}}
  {{- if regexMatch "^--(model|served[-_]model[-_]name|host|port|uds)(=|$)" . -}}
    {{- fail (printf "%s: vllmArgs must not have %s, which the chart sets." $at .) -}}
  {{- end -}}
{{- end -}}
{{- range .v.env -}}
  {{- if has .name (list "VOXTIDE_CONFIG" "VOXTIDE_KEY" "VOXTIDE_SIGNING_SECRET" "VOXTIDE_DRAIN_SECONDS" "VOXTIDE_SESSION_SECONDS" "HOME" "XDG_CACHE_HOME" "XDG_RUNTIME_DIR") -}}
    {{- fail (printf "%s: env must not have %s, which the chart or its values config and auth set." $at .name) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $_ := .v.resources.limits -}}
  {{- if and (eq $.v.profile "cpu") (contains "gpu" $name) -}}
    {{- fail (printf "%s: profile cpu leaves %s unused: take it out of resources.limits (%s: null)." $at $name $name) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Numbers of pods. */}}
{{- define "voxtide.checkReplicas" -}}
{{- $v := .v -}}
{{- if and (eq (int $v.rollout.maxSurge) 0) (eq (int $v.rollout.maxUnavailable) 0) -}}
  {{- fail (printf "%s: rollout.maxSurge and rollout.maxUnavailable are both 0: no pod could ever be replaced." .at) -}}
{{- end -}}
{{- $a := $v.autoscaling -}}
{{- if and (ne $a.type "none") (gt (int $a.minReplicas) (int $a.maxReplicas)) -}}
  {{- fail (printf "%s: autoscaling.minReplicas %d is more than autoscaling.maxReplicas %d." .at (int $a.minReplicas) (int $a.maxReplicas)) -}}
{{- end -}}
{{- if and (eq $a.type "keda") (not $a.prometheus) -}}
  {{- fail (printf "%s: autoscaling.prometheus is missing: KEDA asks there." .at) -}}
{{- end -}}
{{- $budget := $v.disruptionBudget -}}
{{- $fewest := include "voxtide.fewestPods" $v | int -}}
{{- if and $budget.enabled (eq $v.track "stable") (not (kindIs "invalid" $budget.minAvailable)) (ge (int $budget.minAvailable) $fewest) -}}
  {{- fail (printf "%s: disruptionBudget.minAvailable %d of %d pods would keep nodes from ever being drained." .at (int $budget.minAvailable) $fewest) -}}
{{- end -}}
{{- if and $budget.enabled (kindIs "invalid" $budget.minAvailable) (eq (int $budget.maxUnavailable) 0) -}}
  {{- fail (printf "%s: disruptionBudget.maxUnavailable 0 would keep nodes from ever being drained." .at) -}}
{{- end -}}
{{- end -}}

{{- define "voxtide.checkCanary" -}}
{{- $v := .v -}}
{{- if eq $v.track "canary" -}}
  {{- $at := printf "tier %s" $v.name -}}
  {{- range list "autoscaling" "canary" "disruptionBudget" "hosts" "replicas" -}}
    {{- if hasKey $v.canary.tier . -}}
      {{- fail (printf "%s: canary.tier must not have %s, which belongs to the tier as a whole." $at .) -}}
    {{- end -}}
  {{- end -}}
  {{- if not .root.Values.httpRoute.enabled -}}
    {{- if $v.scaled -}}
      {{- fail (printf "%s: canary.weight needs httpRoute.enabled where the tier is autoscaled: the canary's share of the pods would change." $at) -}}
    {{- end -}}
    {{- if gt (maxf (subf $v.share $v.canary.weight) (subf $v.canary.weight $v.share)) 5.0 -}}
      {{- fail (printf "%s: without httpRoute.enabled the canary gets its share of the pods, and %d of them would be %.0f %%, not canary.weight %d." $at (int $v.replicas) $v.share (int $v.canary.weight)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
