// Words with times -> cues -> SRT and WebVTT. docs/page.md has the rules.

export const LINE = 42; // characters of a line
export const LINES = 2;
export const LONGEST_S = 6; // of speech in one cue
export const PAUSE_S = 0.8; // between two words, that ends a cue
export const SHORTEST_S = 1; // that a cue is shown, if the next one lets it
const SENTENCE_END = /[.!?…。！？]["'”’)]?$/u;

/**
 * Cues of two lines at the most.
 * @param {{text: string, start: number, end: number}[]} words in seconds; a text begins with
 *   the space that parts it from the word before it, where there is one
 * @returns {{start: number, end: number, lines: string[]}[]}
 */
export function cues(words) {
  const groups = [];
  for (const word of words) {
    const group = groups.at(-1);
    if (group && belongs(word, group)) group.push(word);
    else groups.push([word]);
  }
  return groups.map((group, number) => cue(group, groups[number + 1]?.[0].start ?? Infinity));
}

function belongs(word, group) {
  const last = group.at(-1);
  if (word.start - last.end >= PAUSE_S || word.end - group[0].start > LONGEST_S) return false;
  return !SENTENCE_END.test(last.text) && lines([...group, word]) !== null;
}

function cue(group, next) {
  const start = group[0].start;
  const end = Math.max(group.at(-1).end, Math.min(start + SHORTEST_S, next));
  return { start, end, lines: lines(group) ?? [joined(group)] };
}

/** One line, or the two that are nearest to each other in length; null if they are too long. */
function lines(group) {
  const whole = joined(group);
  if (length(whole) <= LINE) return [whole];
  const pairs = group.slice(1).map((_, at) => [group.slice(0, at + 1), group.slice(at + 1)].map(joined));
  const fitting = pairs.filter((pair) => pair.every((line) => length(line) <= LINE));
  const uneven = ([first, second]) => Math.abs(length(first) - length(second));
  fitting.sort((a, b) => uneven(a) - uneven(b));
  return fitting[0] ?? null;
}

function joined(group) {
  return group.map((word) => word.text).join("").trim();
}

function length(text) {
  return [...text].length;
}

/** SubRip. */
export function srt(list) {
  return list.map((cue, at) => `${at + 1}\n${times(cue, ",")}\n${cue.lines.join("\n")}\n`).join("\n");
}

/** WebVTT. */
export function vtt(list) {
  const escaped = (line) => line.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const blocks = list.map((cue) => `${times(cue, ".")}\n${cue.lines.map(escaped).join("\n")}\n`);
  return ["WEBVTT\n", ...blocks].join("\n");
}

function times({ start, end }, point) {
  return `${clock(start, point)} --> ${clock(end, point)}`;
}

function clock(seconds, point) {
  const ms = Math.round(seconds * 1000);
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const rest = String(ms % 1000).padStart(3, "0");
  return `${two(ms / 3600000)}:${two((ms / 60000) % 60)}:${two((ms / 1000) % 60)}${point}${rest}`;
}
