// The short-lived secret that opens a session. It lives in a variable and in the field
// of the form, and nowhere else: no storage, no cookie, no address.

import { Problem, told } from "./problems.js";

const PREFIX = "ek_";
const SECONDS = 60; // it only has to last until the session is open

/** The secret behind `#` in the address, or "". It is taken out of the address bar. */
export function takeFromAddress() {
  const text = location.hash.slice(1);
  if (text) history.replaceState(null, "", location.pathname + location.search);
  return text;
}

/** A secret as somebody gave it, without spaces around; throws a Problem for anything else. */
export function checked(text) {
  const secret = text.trim();
  if (!secret) throw new Problem("no_secret");
  if (!secret.startsWith(PREFIX)) throw new Problem("no_ephemeral_secret");
  if (!/^[\w.-]+$/.test(secret)) throw new Problem("invalid_api_key");
  return secret;
}

/** A secret from a server that asks nobody for a key. */
export async function mint() {
  const body = JSON.stringify({ expires_after: { anchor: "created_at", seconds: SECONDS } });
  const headers = { "Content-Type": "application/json" };
  const answer = await asked("v1/realtime/client_secrets", { method: "POST", headers, body });
  return (await answer.json()).value;
}

/** Ask whether a session would be let in; throws the Problem why not. */
export async function knock(secret) {
  const headers = secret ? { Authorization: `Bearer ${secret}` } : {};
  await asked("page/door", { method: "POST", headers });
}

async function asked(path, options) {
  const answer = await fetch(path, options).catch(() => {
    throw new Problem("unreachable");
  });
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw told(error);
}
