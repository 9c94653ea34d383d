"""The panels of the dashboard, in the order of the page: what matters most comes first."""

from __future__ import annotations

from .panel import EVERY, LIVE, OF, OURS, Panel, Section, heatmap, quantiles, rate, total

OBJECTIVES = Section(
    "Objectives (99 % over 30 days)",
    [
        Panel(
            "In time, last 3 days",
            {"{{objective}} {{tier}}": f"1 - voxtide:late:ratio3d{{{OF}}}"},
            "percentunit",
            "Part of the looks, words and turns that were within the bound: 1.5 s, 2 s or 5 s by "
            "the model's delay. The objective is 99 %.",
            kind="stat",
            good_from=0.99,
        ),
        Panel(
            "Burn rate, 1 h",
            {"{{objective}} {{tier}}": f"voxtide:late:ratio1h{{{OF}}} / 0.01"},
            "none",
            "How many times faster than allowed the 1 % is used up. 1 is just good enough; 14.4 "
            "wakes somebody.",
            width=12,
            limits=(1, 14.4),
        ),
        Panel(
            "Alerts that fire",
            {
                "alerts": 'count(ALERTS{alertname=~"Voxtide.+", alertstate="firing", '
                f"{OF}}}) or vector(0)"
            },
            "none",
            "Number of voxtide's alerts that fire now; docs/runbooks.md has a section for each.",
            kind="stat",
            width=4,
            limits=(1,),
        ),
        quantiles(
            "Transcript lag",
            "voxtide_transcript_lag_seconds",
            "Audio that has come less audio that has been heard, in seconds. It cannot be less "
            "than the model's delay.",
        ),
        quantiles(
            "Word latency",
            "voxtide_word_latency_seconds",
            "From the arrival of a word's last sample to its text, in seconds; the model's delay "
            "is in it, the network is not.",
        ),
        quantiles(
            "Finalisation",
            "voxtide_finalisation_seconds",
            "From a commit to the final transcript of its turn, in seconds.",
        ),
    ],
)

SESSIONS = Section(
    "Sessions and capacity",
    [
        Panel(
            "Sessions and places",
            {
                "{{tier}} sessions": total("voxtide_sessions", "tier"),
                "{{tier}} places": total("voxtide_sessions_capacity", "tier"),
            },
            "none",
            "Open live sessions, and how many are let in at once.",
        ),
        Panel(
            "Occupancy",
            {"{{tier}}": f"voxtide:occupancy{{{OF}}}"},
            "percentunit",
            "Part of the places that is taken: what the autoscaler looks at.",
            limits=(0.85, 0.99),
        ),
        Panel(
            "Sessions by pod",
            {"{{pod}} {{instance}}": total("voxtide_sessions", "pod, instance")},
            "none",
            "Whether the balancing is even.",
            stacked=True,
        ),
        Panel(
            "Sessions by dialect",
            {"{{dialect}}": total("voxtide_sessions", "dialect")},
            "none",
            "Open sessions by the protocol they speak.",
            stacked=True,
        ),
        Panel(
            "Sessions that ended",
            {"{{outcome}}": rate("voxtide_sessions_ended_total", "outcome")},
            "cps",
            "Sessions a second that ended, by how: gone (the client left), ended (it said so), "
            "limit, drained, failed.",
        ),
        Panel(
            "Refusals",
            {"{{reason}}": rate("voxtide_refused_total", "reason")},
            "cps",
            "Sessions and requests a second that were not let in, by the code they were told.",
        ),
        Panel(
            "Audio",
            {"{{kind}}": rate("voxtide_audio_seconds_total", "kind")},
            "none",
            "Seconds of audio that come in each second; live it is the number of people who send.",
        ),
        Panel(
            "Files at work",
            {"{{tier}}": total("voxtide_requests", "tier")},
            "none",
            "Files that are being transcribed; they stand back behind live sessions.",
        ),
        Panel(
            "Audio by key",
            {"{{key}}": f"topk(10, {rate('voxtide_key_audio_seconds_total', 'key')})"},
            "none",
            "Seconds of audio each second, of the ten keys with the most; empty without keys.",
        ),
    ],
)

LATENCY = Section(
    "Latency, as it is spread",
    [
        heatmap(
            "Transcript lag",
            "voxtide_transcript_lag_seconds",
            "Looks at live sessions, one a second each, by their lag in seconds.",
            12,
        ),
        heatmap(
            "Word latency",
            "voxtide_word_latency_seconds",
            "Words by the seconds from the arrival of their last sample to their text.",
            12,
        ),
        heatmap(
            "Time to first token",
            "voxtide_time_to_first_token_seconds",
            "Turns by the seconds from their first sample to their first text; silence before the "
            "speech counts.",
        ),
        heatmap(
            "Finalisation",
            "voxtide_finalisation_seconds",
            "Turns by the seconds from their commit to their final transcript.",
        ),
        heatmap("Length of turns", "voxtide_turn_seconds", "Turns by their audio in seconds."),
    ],
)

ENGINE = Section(
    "Engine",
    [
        Panel(
            "Deadline misses",
            {
                "{{pod}} {{instance}}": rate("voxtide_step_deadline_misses_total", "pod, instance")
                + f" / clamp_min({rate('voxtide_frames_total', 'pod, instance', LIVE)}, 1)"
            },
            "percentunit",
            "Part of the live frames that were answered more than 80 ms late.",
            limits=(0.05,),
        ),
        Panel(
            "Frames",
            {"{{kind}}": rate("voxtide_frames_total", "kind")},
            "cps",
            "Tokens a second out of the engine; a live session needs 12.5.",
        ),
        Panel(
            "Backlog",
            {"{{kind}}": total("voxtide_backlog_seconds", "kind")},
            "s",
            "Audio of all sessions that waits for the engine.",
        ),
        Panel(
            "Streams opened",
            {"{{reason}}": rate("voxtide_engine_streams_total", "reason")},
            "cps",
            "Streams a second, by why: turn (a new turn), age (renewed), lost, rut (blanks over "
            "speech), idle (the session went on).",
        ),
        Panel(
            "KV cache",
            {"{{pod}} {{instance}}": f"vllm:kv_cache_usage_perc {OURS}"},
            "percentunit",
            "Part of the KV cache that is in use; near 100 % streams are pushed out.",
            limits=(0.8, 0.95),
        ),
        Panel(
            "Preemptions",
            {
                "{{pod}} {{instance}}": f"increase(vllm:num_preemptions_total[{EVERY}]) {OURS}",
            },
            "none",
            "Streams that vLLM pushed out of the KV cache. Good: none.",
            limits=(1,),
        ),
        Panel(
            "Requests in vLLM",
            {
                "running {{pod}} {{instance}}": f"vllm:num_requests_running {OURS}",
                "waiting ({{reason}}) {{pod}} {{instance}}": (
                    f"vllm:num_requests_waiting_by_reason {OURS}"
                ),
            },
            "none",
            "Streams and windows of files inside vLLM. Paused streams count as deferred: no load.",
        ),
        Panel(
            "Tokens of vLLM",
            {
                "{{pod}} {{instance}}": f"rate(vllm:generation_tokens_total[{EVERY}]) {OURS}",
            },
            "cps",
            "Tokens a second that vLLM generated, audio heard again included.",
        ),
        Panel(
            "Tokens in a step",
            {
                "{{pod}} {{instance}}": (
                    f"(rate(vllm:iteration_tokens_total_sum[{EVERY}]) "
                    f"/ clamp_min(rate(vllm:iteration_tokens_total_count[{EVERY}]), 1e-9)) {OURS}"
                )
            },
            "none",
            "How many tokens one step of the engine works on, on average: the batch.",
        ),
        Panel(
            "CPU of the API server",
            {"{{pod}} {{instance}}": f"rate(process_cpu_seconds_total[{EVERY}]) {OURS}"},
            "none",
            "Cores in use. One process: at 1 words come late. Empty with several API servers.",
            limits=(0.7, 0.9),
        ),
        Panel(
            "Memory of the API server",
            {"{{pod}} {{instance}}": f"process_resident_memory_bytes {OURS}"},
            "bytes",
            "Resident memory. Empty with several API servers.",
        ),
        Panel(
            "Traffic of WebSockets",
            {"{{direction}}": rate("voxtide_websocket_bytes_total", "direction")},
            "Bps",
            "Bytes of messages a second; a session at 16 kHz sends about 43 kB/s.",
        ),
    ],
)

ERRORS = Section(
    "Errors",
    [
        Panel(
            "Errors by code",
            {"{{code}}": rate("voxtide_errors_total", "code")},
            "cps",
            "Errors a second that clients were told. invalid_... are the clients' own mistakes.",
        ),
        Panel(
            "Turns that failed",
            {
                "{{tier}}": rate("voxtide_turns_total", "tier", 'outcome="failed"')
                + f" / clamp_min({rate('voxtide_turns_total', 'tier')}, 1e-9)"
            },
            "percentunit",
            "Part of the turns whose words are lost. Good: none.",
            limits=(0.01,),
        ),
        Panel(
            "Streams heard again",
            {
                "{{reason}} {{pod}}": (
                    f"sum by (reason, pod) (increase(voxtide_engine_streams_total{{{OF}, "
                    f'reason=~"lost|rut"}}[{EVERY}]))'
                )
            },
            "none",
            "Streams that the engine lost, or that gave blanks over speech. No words are lost.",
        ),
        Panel(
            "Age of the servers",
            {"{{pod}} {{instance}}": f"time() - voxtide_start_time_seconds{{{OF}}}"},
            "s",
            "Seconds since each was ready; a fall is a restart.",
        ),
        Panel(
            "File of keys",
            {"{{pod}} {{instance}}": f"voxtide_keys_file_failing{{{OF}}}"},
            "none",
            "1 while a changed file of keys cannot be used.",
            kind="stat",
            limits=(1,),
        ),
        Panel(
            "Versions",
            {
                "voxtide {{version}}, vLLM {{vllm}}": (
                    f"count by (version, vllm) (voxtide_build_info{{{OF}}})"
                )
            },
            "none",
            "Servers by their versions: two during a rollout.",
            kind="stat",
        ),
    ],
)

SECTIONS = [OBJECTIVES, SESSIONS, LATENCY, ENGINE, ERRORS]
