"""What a supervisor asks: does it run, and should it be sent sessions?

    GET /health/live       200 while this process answers at all
    GET /health/startup    200 once sessions can be served
    GET /health/ready      200 while a new session would be served

vLLM's own /health says whether its engine runs.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .deployment import Deployment


async def live(request: Request) -> Response:
    """Always well: who is not does not answer."""
    return JSONResponse({"status": "live"})


async def startup(request: Request) -> Response:
    """Whether the engine has been connected."""
    started = hasattr(request.app.state, "voxtide")
    return JSONResponse({"status": "started" if started else "starting"}, 200 if started else 503)


async def ready(request: Request) -> Response:
    """Whether a new session would be served, and if not, why."""
    deployment: Deployment | None = getattr(request.app.state, "voxtide", None)
    status = "starting" if deployment is None else deployment.status
    return JSONResponse({"status": status}, 200 if status == "ready" else 503)


ROUTES = [
    Route("/health/live", live),
    Route("/health/startup", startup),
    Route("/health/ready", ready),
]
