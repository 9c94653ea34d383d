// The microphone as PCM16 in pieces of 80 ms.

import { Problem } from "./problems.js";

const RATES = [16000, 48000, 44100, 32000, 24000, 22050, 11025, 8000]; // of the server
const WANTED = { channelCount: 1, echoCancellation: false, noiseSuppression: false };
const DENIED = {
  NotAllowedError: "microphone_denied",
  SecurityError: "microphone_denied",
  NotFoundError: "no_microphone",
};

export class Microphone {
  #context;
  #stream;
  #node;

  /** Ask for the microphone; throws a Problem. `gone` is called if it is unplugged. */
  static async open(gone) {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new Problem("insecure");
    const microphone = new Microphone();
    try {
      await microphone.#open(gone);
    } catch (error) {
      microphone.close();
      throw error;
    }
    return microphone;
  }

  async #open(gone) {
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED }).catch((error) => {
      throw new Problem(DENIED[error.name] ?? "microphone_busy");
    });
    this.#stream.getTracks()[0].onended = gone;
    const source = this.#connected();
    if (!RATES.includes(this.rate)) throw new Problem("unsupported_rate");
    await this.#context.audioWorklet.addModule("page/worklet.js");
    this.#node = new AudioWorkletNode(this.#context, "pieces", {
      channelCount: 1,
      channelCountMode: "explicit",
    });
    // Its output is silence; without a way to the loudspeaker some browsers do not run it.
    source.connect(this.#node).connect(this.#context.destination);
  }

  /** The microphone in a context of its own, at 16 kHz where the browser converts. */
  #connected() {
    this.#context = new AudioContext({ sampleRate: RATES[0] });
    try {
      return this.#context.createMediaStreamSource(this.#stream);
    } catch {
      // Firefox connects a microphone only at its own rate.
      this.#context.close();
      this.#context = new AudioContext();
      return this.#context.createMediaStreamSource(this.#stream);
    }
  }

  /** Samples a second. */
  get rate() {
    return this.#context.sampleRate;
  }

  /** Give pieces, as Int16Arrays, to `take` until the end. */
  async start(take) {
    await this.#context.resume();
    this.#node.port.onmessage = ({ data }) => take(data);
    this.#node.port.postMessage("start");
  }

  /** Give the last piece, which may be short, and close. */
  async stop() {
    const take = this.#node.port.onmessage;
    await new Promise((resolve) => {
      this.#node.port.onmessage = (message) => (message.data ? take(message) : resolve());
      this.#node.port.postMessage("stop");
    });
    this.close();
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#context && this.#context.state !== "closed") this.#context.close();
  }
}
