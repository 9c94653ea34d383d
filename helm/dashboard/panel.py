"""What a panel of the dashboard is, and the queries that many of them ask."""

from __future__ import annotations

from dataclasses import dataclass

OF = 'namespace=~"$namespace", tier=~"$tier"'
"""Label matchers for what the variables at the top of the page select."""
OURS = f"and on (job, instance) voxtide_build_info{{{OF}}}"
"""Leaves out other vLLM servers."""
LIVE = 'kind="live"'
EVERY = "$__rate_interval"


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        queries: PromQL with Grafana's variables, and the legend of each.
        unit: one of Grafana's, such as `s` or `percentunit` (0 to 1).
        text: what it shows and what is good.
        width: in columns.
        limits: values from which it turns yellow and red; one alone is red.
        good_from: value from which it is green, red below; in the place of limits.
        stacked: whether the lines add up.
    """

    title: str
    queries: dict[str, str]
    unit: str
    text: str
    kind: str = "timeseries"
    width: int = 8
    limits: tuple[float, ...] = ()
    good_from: float | None = None
    stacked: bool = False


@dataclass(frozen=True)
class Section:
    """A row of the page with its panels."""

    title: str
    panels: list[Panel]


def rate(metric: str, by: str, matchers: str = "") -> str:
    """A counter's rate a second, summed."""
    return f"sum by ({by}) (rate({metric}{{{', '.join(filter(None, (OF, matchers)))}}}[{EVERY}]))"


def total(metric: str, by: str) -> str:
    """A gauge, summed."""
    return f"sum by ({by}) ({metric}{{{OF}}})"


def quantile(part: float, metric: str) -> str:
    """A quantile of a histogram, by tier."""
    return f"histogram_quantile({part}, {rate(f'{metric}_bucket', 'le, tier')})"


def quantiles(title: str, metric: str, text: str) -> Panel:
    """The median and the worst of a latency."""
    queries = {
        "{{tier}} P50": quantile(0.5, metric),
        "{{tier}} P95": quantile(0.95, metric),
        "{{tier}} P99": quantile(0.99, metric),
    }
    return Panel(title, queries, "s", text)


def heatmap(title: str, metric: str, text: str, width: int = 8) -> Panel:
    """How a histogram's values are spread over time."""
    query = f"sum by (le) (increase({metric}_bucket{{{OF}}}[{EVERY}]))"
    return Panel(title, {"{{le}}": query}, "s", text, kind="heatmap", width=width)
