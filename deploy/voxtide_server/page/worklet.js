// Runs on the browser's audio thread: gathers blocks of 128 samples into pieces of 80 ms.

const PIECE_S = 0.08;

class Pieces extends AudioWorkletProcessor {
  #piece = new Int16Array(Math.round(sampleRate * PIECE_S));
  #length = 0;
  #state = "waiting";

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#state = data;
      if (data !== "stop") return;
      this.#post();
      this.port.postMessage(null); // nothing comes after it
    };
  }

  process([[samples]]) {
    if (this.#state === "start" && samples) samples.forEach((sample) => this.#take(sample));
    return this.#state !== "stop";
  }

  #take(sample) {
    this.#piece[this.#length++] = Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
    if (this.#length === this.#piece.length) this.#post();
  }

  #post() {
    this.port.postMessage(this.#piece.slice(0, this.#length));
    this.#length = 0;
  }
}

registerProcessor("pieces", Pieces);
