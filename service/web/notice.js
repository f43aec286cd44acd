// One line at the foot of the page for what went wrong, and when it will be tried again.

import { element } from "./dom.js";
import { useKey } from "./service.js";

const box = document.getElementById("notice");
const state = document.getElementById("state");
let timer;
let stateBefore;

export function clear() {
  clearInterval(timer);
  box.hidden = true;
  if (!document.body.classList.contains("unreachable")) return;
  document.body.classList.remove("unreachable");
  state.textContent = stateBefore;
}

/** Until `clear`: a page that goes on saying that models are ready would be wrong. */
function unreachable() {
  if (document.body.classList.contains("unreachable")) return;
  stateBefore = state.textContent;
  document.body.classList.add("unreachable");
  state.textContent = "no answer";
}

function show(...content) {
  clearInterval(timer);
  box.replaceChildren(...content);
  box.hidden = false;
}

/** Tell of an error of a call; `again` is called when another try makes sense. */
export function tell(error, again) {
  if (error.status === 401) askForKey(error, again);
  else if (error.status === 429) countDown("The queue is full.", error.retryAfter || 1, again);
  else if (error.status === 503) countDown(`${sentence(error.message)}`, error.retryAfter || 2, again);
  else if (error.status) show(sentence(error.message));
  else {
    unreachable();
    countDown("The service cannot be reached.", 2, again);
  }
}

/** Two numbers are read before a wait: how long it is and, each second, how long it still is. */
function countDown(reason, seconds, again) {
  const left = element("span", { class: "left", "aria-hidden": "true" }, String(Math.ceil(seconds)));
  show(element("span", {}, `${reason} Trying again in `), left, " s");
  const until = Date.now() + 1000 * seconds;
  timer = setInterval(() => {
    const remains = Math.ceil((until - Date.now()) / 1000);
    left.textContent = String(Math.max(0, remains));
    if (remains > 0) return;
    clearInterval(timer);
    again();
  }, 200);
}

function askForKey(error, again) {
  const field = element("input", { type: "password", name: "key", "aria-label": "API key",
    autocomplete: "off", placeholder: "API key" });
  const form = element("form", { onsubmit: (event) => {
    event.preventDefault();
    useKey(field.value);
    clear();
    again();
  } }, field, element("button", {}, "Use it"));
  show(`${sentence(error.message)} `, form);
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
