// Beside each answer: what it cost, which model gave it, and the same call as code.

import { copyButton, element } from "./dom.js";
import { samples } from "./samples.js";

const PARTS = [
  ["queue", "Queue"],
  ["tokenize", "Tokenizing"],
  ["infer", "Inference"],
  ["rest", "The rest"],
];

const milliseconds = (ms) => (ms === undefined ? "–" : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`);

/** The panel of one pane. */
export class Cost {
  constructor(aside, model) {
    this.values = {};
    this.bars = PARTS.map(([name]) => element("span", { class: `part ${name}` }));
    this.code = element("code");
    this.chosen = "curl";
    aside.append(this.times(model), this.sampleBox());
  }

  times(model) {
    const rows = [...PARTS, ["total", "Total"], ["roundTrip", "Seen by this browser"], ["batchRows", "Batch"]];
    const list = element("dl", { class: "times" }, ...rows.flatMap(([name, label]) => {
      this.values[name] = element("dd", {}, "–");
      return [element("dt", { class: name }, label), this.values[name]];
    }));
    return element("section", { class: "card cost", "aria-label": "What this answer cost" },
      element("h2", {}, "What it cost"),
      element("div", { class: "bar", "aria-hidden": "true" }, ...this.bars),
      list,
      element("p", { class: "model" }, `${model.name} ${model.version}`,
        element("span", {}, `${model.precision} on ${model.device.toUpperCase()}`)));
  }

  sampleBox() {
    const names = ["curl", "Python", "JavaScript"];
    this.tabs = names.map((name) => element("button",
      { type: "button", "aria-pressed": String(name === this.chosen), onclick: () => this.choose(name) }, name));
    return element("section", { class: "card samples", "aria-label": "The same call as code" },
      element("div", { class: "tabs" }, ...this.tabs, copyButton("Copy", () => this.code.textContent)),
      element("pre", { tabindex: "0" }, this.code));
  }

  choose(name) {
    this.chosen = name;
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", String(tab.textContent === name));
    this.showCode();
  }

  /** Show the cost of a call as `service.call` tells it. */
  show(cost) {
    const { queue = 0, tokenize = 0, infer = 0, total } = cost;
    const times = { ...cost, rest: Math.max(0, total - queue - tokenize - infer) };
    for (const [name, value] of Object.entries(this.values)) value.textContent = milliseconds(times[name]);
    this.values.batchRows.textContent = cost.batchRows === 1 ? "1 row" : `${cost.batchRows} rows`;
    PARTS.forEach(([name], i) => this.bars[i].style.setProperty("--share", times[name] || 0));
    this.call = [cost.path, cost.body];
    this.showCode();
  }

  showCode() {
    if (this.call) this.code.textContent = samples(...this.call)[this.chosen];
  }
}
