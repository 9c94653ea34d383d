// What goes wrong, in words for people.

const TEXTS = {
  // in the browser
  insecure: "The browser gives the microphone only to pages that came over HTTPS, or from this very machine. Open the page so, or use an audio file.",
  microphone_denied: "The microphone was not allowed. Allow it for this page in the browser’s site settings, then start again.",
  no_microphone: "No microphone was found. Plug one in, then start again.",
  microphone_busy: "The microphone cannot be opened. Another program may be using it.",
  microphone_gone: "The microphone was unplugged or switched off. What was said until then is kept.",
  no_file: "Choose an audio file first.",
  unreadable_file: "The browser cannot read this file as audio. Try WAV, MP3, FLAC, OGG or M4A.",
  unsupported_rate: "The microphone’s sample rate is none that the server takes.",
  // at the door
  no_secret: "This server asks for a key. Paste a secret that begins with ek_.",
  no_ephemeral_secret: "This is no short-lived secret: those begin with ek_. It was not used and not sent. Do not put a real key into a web page; ask for a secret at POST /v1/realtime/client_secrets with it.",
  invalid_api_key: "The secret is wrong, or has expired. Get a new one.",
  origin_not_allowed: "The server does not take sessions from pages at this address. Its setting allowed_origins has to name it.",
  server_full: "The server is full. Try again in a few seconds.",
  key_limit: "All sessions that this key may have are in use. End another one, or wait.",
  starting: "The server is still starting. Try again in a moment.",
  draining: "The server is about to stop. Try again in a moment.",
  unreachable: "The server cannot be reached. Is it running, and are you online?",
  not_opened: "The connection could not be opened. Try again.",
  // in a session
  connection_lost: "The connection was lost. What is dimmed was not confirmed; start again to go on.",
  session_over: "The server has ended the session: it was open, or silent, for as long as sessions may be. Start again to go on.",
  stopping: "The server is about to stop. It lets you finish what you are saying.",
  server_stopped: "The server was stopped. Start again in a moment to go on.",
  engine_dead: "The server’s engine has failed. It may be back in a minute.",
  engine_failed: "The server lost a part of what was said. You can go on speaking.",
};

/** Something that a person is told; `code` is the server's or one of the page's own. */
export class Problem extends Error {
  constructor(code, text) {
    super(TEXTS[code] ?? text ?? "Something went wrong. Try again.");
    this.code = code;
  }
}

/** The Problem of an error object of the server's; without one the server is not ours. */
export function told(error) {
  return new Problem(error?.code ?? "unreachable", error?.message);
}
