"""What locust runs: `locust -f loadtest/locustfile.py --host http://127.0.0.1:8000`."""

from voxtide_loadtest.entry.locustfile import FileUser, RealtimeUser, Shape

__all__ = ["FileUser", "RealtimeUser", "Shape"]
