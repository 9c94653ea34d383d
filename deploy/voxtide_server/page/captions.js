// The words on the page: final ones, and those that are still being said.

export class Captions {
  /** All final words: {text, start, end}, in seconds since the transcript began. */
  words = [];
  #box;
  #finals;
  #partial;
  #hint;

  constructor(document) {
    const named = (id) => document.getElementById(id);
    [this.#box, this.#finals] = [named("captions"), named("finals")];
    [this.#partial, this.#hint] = [named("partial"), named("hint")];
  }

  /** Add text to what is being said. */
  partial(text) {
    this.#following(() => {
      const piece = document.createElement("span");
      piece.textContent = text;
      this.#partial.append(piece);
      this.#hint.hidden = true;
    });
  }

  /** A turn is final: `words` as the server tells them, `offset` where its session began. */
  final(text, words, offset) {
    this.#following(() => {
      this.#partial.replaceChildren();
      if (!text) return;
      const placed = placedWords(text, words, offset);
      this.words.push(...placed);
      this.#paragraph(text, placed[0]?.start ?? offset, "turn");
    });
  }

  /** What was being said will not become final: it stays, dimmed, and out of the downloads. */
  abandon() {
    const text = this.#partial.textContent.trim();
    this.#partial.replaceChildren();
    if (text) this.#following(() => this.#paragraph(`${text} …`, null, "turn unconfirmed"));
  }

  clear() {
    this.words = [];
    this.#finals.replaceChildren();
    this.#partial.replaceChildren();
    this.#hint.hidden = false;
  }

  #paragraph(text, start, kind) {
    const [paragraph, time, words] = ["p", "time", "span"].map((tag) => document.createElement(tag));
    paragraph.className = kind;
    time.textContent = start === null ? "" : clock(start);
    time.setAttribute("aria-hidden", "true"); // or it would be read before every sentence
    words.textContent = text;
    paragraph.append(time, words);
    this.#finals.append(paragraph);
    this.#hint.hidden = true;
  }

  /** Change something and stay at the end, unless somebody has scrolled back to read. */
  #following(change) {
    const box = this.#box;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    change();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }
}

/** Words with what parts them in the text, since not all languages part them by spaces. */
function placedWords(text, words, offset) {
  let at = 0;
  return words.map(({ word, start, end }) => {
    const found = text.indexOf(word, at);
    const piece = found < 0 ? ` ${word}` : text.slice(at, found + word.length);
    if (found >= 0) at = found + word.length;
    return { text: piece || word, start: start + offset, end: end + offset };
  }).map((word, number) => (number ? word : { ...word, text: ` ${word.text.trim()}` }));
}

/** M:SS, or H:MM:SS. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
