"""A LiveKit agent with voxtide as its ears: it writes down what is said in a room.

    pip install livekit-agents livekit-plugins-openai
    LIVEKIT_URL=… LIVEKIT_API_KEY=… LIVEKIT_API_SECRET=… python examples/livekit_agent.py dev

The server is VOXTIDE_BASE_URL (default: http://127.0.0.1:8000/v1), the key VOXTIDE_API_KEY, the
model VOXTIDE_MODEL (default: nano).  An agent that answers gets an `llm` and a `tts` beside `stt`.
"""

import os

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    UserInputTranscribedEvent,
    cli,
)
from livekit.plugins import openai


def ears() -> openai.STT:
    """Voxtide, which tells where a turn begins and ends as well."""
    return openai.STT(
        use_realtime=True,
        base_url=os.environ.get("VOXTIDE_BASE_URL", "http://127.0.0.1:8000/v1"),
        api_key=os.environ.get("VOXTIDE_API_KEY", "none"),
        model=os.environ.get("VOXTIDE_MODEL", "nano"),
    )


def transcriber() -> AgentSession[None]:
    """A session that prints each turn once it is final."""
    session: AgentSession[None] = AgentSession(stt=ears(), turn_handling={"turn_detection": "stt"})

    @session.on("user_input_transcribed")
    def heard(event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            print(event.transcript, flush=True)

    return session


server = AgentServer()


@server.rtc_session()
async def entrypoint(context: JobContext) -> None:
    """Called for each room that the agent is sent into."""
    await transcriber().start(Agent(instructions="Write down what is said."), room=context.room)


if __name__ == "__main__":
    cli.run_app(server)
