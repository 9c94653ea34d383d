"""The load shape that locust asks once a second."""

from __future__ import annotations

from locust import LoadTestShape

from .shapes import Profile


class Shape(LoadTestShape):
    """What locust asks once a second."""

    abstract = False
    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Streams, and how many may come or go in a second; None when the run is over."""
        options = self.runner.environment.parsed_options if self.runner else None
        assert options is not None  # locust's command has parsed them
        now, most = self.get_run_time(), options.num_users or 1
        profile = Profile.parse(options.shape)
        streams = profile.streams(now, most)
        if streams is None or (options.run_time and now >= options.run_time):
            return None
        rate = float(options.spawn_rate or 1)
        # A shape says itself how fast it goes; locust would still be spawning at the next look.
        return streams, rate if profile.kind == "constant" else float(most)
