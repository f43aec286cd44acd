// The playground: one tab for each task that serves here.

import { Cost } from "./cost.js";
import { Entities } from "./entities.js";
import { clear, tell } from "./notice.js";
import { Sentiment } from "./sentiment.js";
import { models } from "./service.js";
import { Translation } from "./translation.js";

const PANES = { ner: Entities, sentiment: Sentiment, translation: Translation };
/** A pane is made when it is first looked at: who wants one does not wait for three. */
const panes = new Map();
const tabs = [...document.querySelectorAll('[role="tab"]')];

async function start() {
  try {
    const told = await models();
    clear();
    for (const model of told.models) open(model, told.limits);
    document.getElementById("state").textContent = `${told.models.length} models ready`;
    const wanted = tabs.find((tab) => tab.hash === location.hash && !tab.hidden);
    choose(wanted ?? tabs.find((tab) => !tab.hidden));
    performance.mark("interactive");
  } catch (error) {
    tell(error, start);
  }
}

function open(model, limits) {
  const root = document.querySelector(`[data-task="${model.task}"]`);
  if (!root || panes.has(root.id)) return;
  let pane;
  panes.set(root.id, () => (pane ??= new PANES[model.task](root, model, limits,
    new Cost(root.querySelector("aside"), model))));
  tabs.find((tab) => tab.hash === `#${root.id}`).hidden = false;
}

function choose(tab) {
  if (!tab) return;
  for (const other of tabs) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.querySelector(other.hash).hidden = !chosen;
  }
  history.replaceState(null, "", tab.hash);
  panes.get(tab.hash.slice(1))().typing.now();
}

/** Arrow keys walk the tabs, as in any other application. */
function walk(event) {
  const shown = tabs.filter((tab) => !tab.hidden);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = shown.at((shown.indexOf(event.target) + step) % shown.length);
  choose(next);
  next.focus();
}

for (const tab of tabs) {
  tab.addEventListener("click", (event) => {
    event.preventDefault();
    choose(tab);
  });
  tab.addEventListener("keydown", walk);
}
addEventListener("online", start);
start();
