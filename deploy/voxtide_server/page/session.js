// One session in OpenAI's dialect over a WebSocket; docs/protocols.md has the messages.
// Positions are seconds of the session's audio.

import { knock } from "./secret.js";
import { Problem, told } from "./problems.js";

const KIND = "conversation.item.input_audio_transcription.";
const DETECTION = { type: "server_vad", prefix_padding_ms: 0, silence_duration_ms: 1000 };
const CLOSED = { 1001: "session_over", 1011: "engine_dead", 1012: "server_stopped" };
const REMEMBERED = 750; // pieces whose time of sending is known: a minute

export class Session {
  #socket;
  #rate;
  #hear;
  #samples = 0;
  #pieces = []; // where each of the last pieces ends, and when it was sent (ms)
  #onsets = new Map(); // when the sample was sent with which the speech of a turn began (ms)
  #stopping = null; // "asked", "alone" once turns are not detected any more, then the last turn
  #opened = false;
  #left = false; // whether this page has closed the connection
  #cause = null;

  /**
   * @param {string} secret that begins with ek_
   * @param {number} rate of the samples, in Hz
   * @param {(event: object) => void} hear is given {type: "ready", delay} in ms,
   *   {type: "partial", text, lag, firstToken} in seconds, {type: "final", text, words},
   *   {type: "failed", problem} for a turn that is lost,
   *   {type: "problem", problem} where nothing is, and at last {type: "end", problem?}
   */
  constructor(secret, rate, hear) {
    this.#rate = rate;
    this.#hear = hear;
    const url = new URL("v1/realtime?intent=transcription", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.#socket = new WebSocket(url, ["realtime", `openai-insecure-api-key.${secret}`]);
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data), performance.now());
    this.#socket.onclose = ({ code }) => this.#closed(code, secret);
  }

  /** Seconds of audio that were sent. */
  get sent() {
    return this.#samples / this.#rate;
  }

  /** Send samples, an Int16Array. */
  send(pcm) {
    if (this.#socket.readyState !== WebSocket.OPEN || this.#stopping) return;
    const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    this.#tell("input_audio_buffer.append", { audio: btoa(String.fromCharCode(...bytes)) });
    this.#samples += pcm.length;
    this.#pieces.push([this.sent, performance.now()]);
    if (this.#pieces.length > REMEMBERED) this.#pieces.shift();
  }

  /** End the last turn; the session ends when that is final. */
  finish() {
    if (!this.#opened) return this.close();
    // After the answer to this no turn ends by itself, so the next commit is ours.
    this.#stopping = "asked";
    this.#update({ turn_detection: null });
    this.#tell("input_audio_buffer.commit");
  }

  /** End at once. */
  close() {
    this.#left = true;
    this.#socket.close();
  }

  #update(input) {
    this.#tell("session.update", { session: { type: "transcription", audio: { input } } });
  }

  #tell(type, fields = {}) {
    this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  #receive(message, now) {
    switch (message.type) {
      case "session.created":
        return this.#update({
          format: { type: "audio/pcm", rate: this.#rate },
          turn_detection: DETECTION,
        });
      case "session.updated":
        return this.#updated(message.session);
      case "input_audio_buffer.speech_started":
        return this.#began(message);
      case "input_audio_buffer.committed":
        if (this.#stopping === "alone") this.#stopping = message.item_id;
        return;
      case `${KIND}delta`:
        return this.#delta(message, now);
      case `${KIND}completed`:
        this.#hear({ type: "final", text: message.transcript, words: message.words });
        return this.#ended(message.item_id);
      case `${KIND}failed`:
        this.#hear({ type: "failed", problem: told(message.error) });
        return this.#ended(message.item_id);
      case "session.draining":
        return this.#hear({ type: "problem", problem: new Problem("stopping") });
      case "error":
        this.#cause = told(message.error); // shown if the connection ends with it
        if (!this.#opened) this.close();
    }
  }

  #updated(session) {
    if (this.#stopping === "asked") this.#stopping = "alone";
    if (this.#opened) return;
    this.#opened = true;
    this.#hear({ type: "ready", delay: session.audio.input.transcription.delay_ms });
  }

  #began({ item_id, audio_start_ms }) {
    const piece = this.#pieces.find(([end]) => end > audio_start_ms / 1000);
    if (piece) this.#onsets.set(item_id, piece[1]);
  }

  #delta({ item_id, delta, end }, now) {
    const began = this.#onsets.get(item_id);
    const firstToken = began === undefined ? null : (now - began) / 1000;
    this.#onsets.delete(item_id);
    this.#hear({ type: "partial", text: delta, lag: this.sent - end, firstToken });
  }

  #ended(turn) {
    this.#onsets.delete(turn);
    this.#cause = null;
    if (turn === this.#stopping) this.close();
  }

  async #closed(code, secret) {
    const problem = this.#opened ? this.#why(code) : await this.#whyNot(secret);
    this.#hear({ type: "end", problem });
  }

  #why(code) {
    if (this.#left) return null;
    return this.#cause ?? new Problem(CLOSED[code] ?? "connection_lost");
  }

  async #whyNot(secret) {
    if (this.#cause || this.#left) return this.#cause;
    return knock(secret).then(() => new Problem("not_opened"), (problem) => problem);
  }
}
