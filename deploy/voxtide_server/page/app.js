// The page: what happens when somebody presses a button.

import { Captions } from "./captions.js";
import { Meter } from "./meter.js";
import { Microphone } from "./microphone.js";
import { Problem } from "./problems.js";
import { Recording } from "./recording.js";
import { checked, knock, mint, takeFromAddress } from "./secret.js";
import { Session } from "./session.js";
import { cues, srt, vtt } from "./subtitles.js";

const named = (id) => document.getElementById(id);
const captions = new Captions(document);
const meter = new Meter(named("level"), named("tide"));

// What each state is called, and what the button does in it.
const STATES = {
  ready: ["Ready", "Start"],
  connecting: ["Connecting…", "Cancel"],
  listening: ["Listening", "Stop"],
  finishing: ["Last words…", "Stop now"],
};
let state = "ready";
let attempt = 0; // to start: what one of them waited for may come after another began
let source = null;
let session = null;
let offset = 0; // where the session began in the transcript, in seconds

function enter(next) {
  state = next;
  document.body.dataset.state = next;
  [named("status").textContent, named("start").textContent] = STATES[next];
  named("source").disabled = named("file").disabled = next !== "ready";
  named("clear").disabled = next !== "ready" || !named("finals").childElementCount;
  named("srt").disabled = named("vtt").disabled = !captions.words.length;
}

function show(problem) {
  named("problem").textContent = problem?.message ?? "";
  named("problem").dataset.code = problem?.code ?? "";
}

// ---- from start to end ---------------------------------------------------------------

async function start() {
  const mine = ++attempt;
  show(null);
  enter("connecting");
  try {
    // First what a person has to put right, then the way to the server.
    const given = named("secret-row").hidden ? null : checked(named("secret").value);
    const opened = await openSource();
    if (mine !== attempt) return opened.close();
    source = opened;
    const secret = given ?? (await mint());
    if (mine === attempt) session = new Session(secret, source.rate, hear);
  } catch (problem) {
    if (mine === attempt) end(problem);
  }
}

function openSource() {
  const chosen = document.querySelector("input[name=source]:checked").value;
  if (chosen === "file") return Recording.open(named("file").files[0], stop);
  return Microphone.open(() => {
    show(new Problem("microphone_gone"));
    stop();
  });
}

function hear(event) {
  switch (event.type) {
    case "ready":
      named("delay").textContent = `${event.delay} ms`;
      enter("listening");
      return source.start(send);
    case "partial":
      captions.partial(event.text);
      named("lag").textContent = seconds(event.lag);
      if (event.firstToken !== null) named("first-token").textContent = seconds(event.firstToken);
      return;
    case "final":
      captions.final(event.text, event.words, offset);
      return enter(state);
    case "failed":
      captions.abandon();
      return show(event.problem);
    case "problem":
      return show(event.problem);
    case "end":
      return end(event.problem);
  }
}

function send(pcm) {
  session.send(pcm);
  meter.add(pcm);
  named("sent").textContent = seconds(session.sent);
}

async function stop() {
  if (state !== "listening") return;
  enter("finishing");
  await source.stop();
  meter.rest();
  session?.finish();
}

function end(problem) {
  attempt++;
  source?.close();
  offset += session?.sent ?? 0;
  [source, session] = [null, null];
  captions.abandon();
  meter.rest();
  enter("ready");
  if (problem) show(problem instanceof Problem ? problem : new Problem("unknown"));
  if (problem?.code === "invalid_api_key") askForSecret();
}

function seconds(value) {
  return `${value.toFixed(2)} s`;
}

// ---- the secret ----------------------------------------------------------------------

function askForSecret() {
  named("secret-row").hidden = false;
}

function takeSecret() {
  const text = takeFromAddress();
  if (!text) return;
  askForSecret();
  try {
    named("secret").value = checked(text);
  } catch (problem) {
    show(problem);
  }
}

takeSecret(); // before anything else, so that it does not stay in the address
window.addEventListener("hashchange", takeSecret);
knock(named("secret").value).catch((problem) => {
  if (problem.code !== "invalid_api_key") return show(problem);
  askForSecret();
  if (named("secret").value) show(problem);
});

// ---- the controls --------------------------------------------------------------------

named("panel").addEventListener("submit", (event) => {
  event.preventDefault();
  if (state === "ready") start();
  else if (state === "listening") stop();
  else if (session) session.close();
  else end(null);
});

named("source").addEventListener("change", ({ target }) => {
  named("file-row").hidden = target.value !== "file";
});

named("clear").addEventListener("click", () => {
  captions.clear();
  offset = 0;
  show(null);
  enter(state);
  named("start").focus();
});

function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

named("srt").addEventListener("click", () => {
  save("captions.srt", srt(cues(captions.words)), "application/x-subrip");
});
named("vtt").addEventListener("click", () => {
  save("captions.vtt", vtt(cues(captions.words)), "text/vtt");
});

// ---- light and dark ------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");

function dress(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  const isDark = (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  named("theme").textContent = isDark ? "Light" : "Dark";
  named("theme").setAttribute("aria-label", isDark ? "Light colours" : "Dark colours");
  named("theme").value = isDark ? "light" : "dark";
  meter.draw();
}

named("theme").addEventListener("click", ({ target }) => dress(target.value));
dark.addEventListener("change", () => dress());
dress();
enter("ready");
