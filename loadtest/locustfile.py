"""What locust runs: `locust -f loadtest/locustfile.py --host http://127.0.0.1:8000`."""

from voxtide_loadtest import charts, gathering
from voxtide_loadtest.locust_shape import Shape
from voxtide_loadtest.users import FileUser, RealtimeUser

__all__ = ["FileUser", "RealtimeUser", "Shape", "charts", "gathering"]
