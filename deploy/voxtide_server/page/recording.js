// An audio file as PCM16, sent as fast as it would be spoken.

import { Problem } from "./problems.js";

const PIECE_S = 0.08;

export class Recording {
  rate = 16000;
  #samples;
  #at = 0;
  #timer;

  /** Decode a File, or throw a Problem. `gone` is called when all of it was given. */
  static async open(file, gone) {
    if (!file) throw new Problem("no_file");
    const recording = new Recording();
    recording.gone = gone;
    try {
      // A context decodes to its own rate, so this converts too.
      const context = new OfflineAudioContext(1, 1, recording.rate);
      recording.#samples = mixed(await context.decodeAudioData(await file.arrayBuffer()));
    } catch {
      throw new Problem("unreadable_file");
    }
    return recording;
  }

  /** Give pieces, as Int16Arrays, to `take`. Hidden pages get few ticks: each gives all that is due. */
  start(take) {
    const began = performance.now();
    const length = Math.round(this.rate * PIECE_S);
    this.#timer = setInterval(() => {
      const due = ((performance.now() - began) / 1000) * this.rate;
      while (this.#at + length <= due && this.#at < this.#samples.length) {
        take(pcm16(this.#samples.subarray(this.#at, this.#at + length)));
        this.#at += length;
      }
      if (this.#at >= this.#samples.length) {
        this.close();
        this.gone();
      }
    }, PIECE_S * 1000);
  }

  stop() {
    this.close();
  }

  close() {
    clearInterval(this.#timer);
  }
}

/** All channels as one. */
function mixed(buffer) {
  const sum = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    buffer.getChannelData(channel).forEach((sample, at) => (sum[at] += sample));
  }
  return sum.map((sample) => sample / buffer.numberOfChannels);
}

function pcm16(samples) {
  return Int16Array.from(samples, (s) => Math.round(Math.max(-1, Math.min(1, s)) * 32767));
}
