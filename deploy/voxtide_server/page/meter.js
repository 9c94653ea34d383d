// The sound level: bars that come in from the right like a tide, one for each piece.

const STEP = 7; // CSS pixels from bar to bar
const WIDTH = 3;
const FLOOR_DB = -60;

export class Meter {
  #element;
  #canvas;
  #levels = [];
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(element, canvas) {
    [this.#element, this.#canvas] = [element, canvas];
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Show the level of a piece, an Int16Array. */
  add(pcm) {
    const level = levelOf(pcm);
    this.#levels.push(level);
    if (this.#levels.length > 400) this.#levels.shift();
    this.#element.setAttribute("aria-valuenow", String(Math.round(level * 100)));
    this.draw();
  }

  rest() {
    this.#levels = [];
    this.#element.setAttribute("aria-valuenow", "0");
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = window.devicePixelRatio;
    [this.#canvas.width, this.#canvas.height] = [width * scale, height * scale];
    const pen = this.#canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = getComputedStyle(this.#canvas).color;
    if (this.#still.matches) this.#drawBar(pen, width, height);
    else this.#drawTide(pen, width, height);
  }

  #drawTide(pen, width, height) {
    const bars = Math.floor(width / STEP);
    for (let bar = 0; bar < bars; bar++) {
      const level = this.#levels[this.#levels.length - bars + bar] ?? 0;
      const tall = Math.max(WIDTH, level * height);
      pen.globalAlpha = 0.25 + 0.75 * (bar / bars) ** 1.5; // older ones fade
      box(pen, bar * STEP + (STEP - WIDTH) / 2, (height - tall) / 2, WIDTH, tall);
    }
  }

  /** Without motion: one bar, as long as it is loud. */
  #drawBar(pen, width, height) {
    pen.globalAlpha = 0.25;
    box(pen, 0, height / 2 - 4, width, 8);
    pen.globalAlpha = 1;
    box(pen, 0, height / 2 - 4, (this.#levels.at(-1) ?? 0) * width, 8);
  }
}

/** From 0 (60 dB below full scale, and less) to 1 (full scale). */
function levelOf(pcm) {
  const power = pcm.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0) / pcm.length;
  const db = 10 * Math.log10(power + 1e-12);
  return Math.max(0, Math.min(1, 1 - db / FLOOR_DB));
}

function box(pen, x, y, width, height) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, Math.min(width, height) / 2);
  pen.fill();
}
