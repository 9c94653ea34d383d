"""What locust runs, also where voxtide is installed without its sources."""

from voxtide_loadtest import charts, gathering
from voxtide_loadtest.locust_shape import Shape
from voxtide_loadtest.users import FileUser, RealtimeUser

__all__ = ["FileUser", "RealtimeUser", "Shape", "charts", "gathering"]
