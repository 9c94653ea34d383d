"""Metrics of others that alerts and dashboard use: vLLM's, and those of Kubernetes.

vLLM's are those of release 0.32 (`vllm/v1/metrics/loggers.py`); a real server is asked for
them in tests/integration/test_monitoring.py.
"""

from __future__ import annotations

PROMETHEUS = {"up", "ALERTS"}
"""What Prometheus makes itself."""

VLLM = {
    "vllm:generation_tokens_total",
    "vllm:iteration_tokens_total_count",
    "vllm:iteration_tokens_total_sum",
    "vllm:kv_cache_usage_perc",
    "vllm:num_preemptions_total",
    "vllm:num_requests_running",
    "vllm:num_requests_waiting_by_reason",
}

PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
"""prometheus_client's own; not there with several API servers."""

KUBERNETES = {
    "certmanager_certificate_expiration_timestamp_seconds",  # cert-manager
    "kube_pod_container_status_waiting_reason",  # kube-state-metrics
}

ALL = PROMETHEUS | VLLM | PROCESS | KUBERNETES
