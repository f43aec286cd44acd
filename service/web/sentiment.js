// Sentiment: one text with the words that tipped it, or many lines as a table.

import { characters, element, drawing, examples, percent, pieces } from "./dom.js";
import { call } from "./service.js";
import { Typing } from "./typing.js";

const EXAMPLES = [
  ["Complaint", "Not only the fan was expensive, but it was broken when it arrived."],
  ["Praise", "No, this phone is good. The screen is bright and the battery lasts two days."],
  ["Film", "There is nothing to like in this movie."],
  ["Six at once", "The food was great, but the service was slow.\nI would buy it again.\n" +
    "It stopped working after a week.\nNot bad at all!\nThe plot makes no sense.\nBest headphones I ever had."],
];
const BINS = 10;

/** The probability of a label. */
const positive = (scores, label) => scores.find((score) => score.label === label).score;

/** The pane of `model`; `root` holds its elements. */
export class Sentiment {
  constructor(root, model, limits, cost) {
    Object.assign(this, { model, limits, cost, order: 0, rows: [] });
    this.good = model.labels.find((label) => label.startsWith("pos")) ?? model.labels.at(-1);
    this.bad = model.labels.find((label) => label !== this.good);
    this.output = root.querySelector(".output");
    const area = root.querySelector("textarea");
    root.querySelector(".examples").append(...examples(area, EXAMPLES));
    this.typing = new Typing(area, root.querySelector(".counter"), {
      work: (text, signal) => this.run(text, signal),
      empty: () => this.hint(),
      limit: limits.max_chars * limits.max_inputs,
      delay: 200,
    });
    this.hint();
    area.value ||= EXAMPLES[0][1];
  }

  hint() {
    this.output.replaceChildren(element("p", { class: "hint" },
      "Write what somebody might say of a product, a film or a meal. Several lines make a table."));
  }

  /** One line is explained; many are compared. */
  async run(text, signal) {
    const lines = text.split("\n").filter((line) => line.trim())
      .flatMap((line) => pieces(line, this.limits.max_chars).map((piece) => piece.text));
    if (lines.length === 1) await this.one(lines[0], signal);
    else await this.many(lines, signal);
  }

  async one(text, signal) {
    const body = { inputs: text, parameters: { explain: true } };
    const { answer: [scores], cost } = await call(this.model.endpoint, body, signal);
    this.output.replaceChildren(this.verdict(positive(scores, this.good)), this.shaded(text, scores),
      element("p", { class: "hint shades" }, "Shaded by how much each word tipped it: ",
        element("span", { class: "bad" }, this.bad), " or ", element("span", { class: "good" }, this.good)));
    this.cost.show(cost);
  }

  async many(lines, signal) {
    const rows = [];
    for (let at = 0; at < lines.length; at += this.limits.max_inputs) {
      const inputs = lines.slice(at, at + this.limits.max_inputs);
      const { answer, cost } = await call(this.model.endpoint, { inputs }, signal);
      rows.push(...answer.map((scores, i) => ({
        place: at + i, text: inputs[i], score: positive(scores, this.good) })));
      this.cost.show(cost);
    }
    this.rows = rows;
    this.showTable();
  }

  verdict(score) {
    const label = score >= 0.5 ? this.good : this.bad;
    const sure = percent(Math.max(score, 1 - score));
    return element("div", { class: "verdict" },
      element("p", { class: score >= 0.5 ? "good" : "bad" }, element("strong", {}, sure), ` ${label}`),
      meter(score, `${sure} ${label}`), this.ends());
  }

  /** What lies at either end of the probability. */
  ends() {
    return element("p", { class: "ends", "aria-hidden": "true" },
      element("span", {}, this.bad), element("span", {}, this.good));
  }

  /** Each word with its weight as shade: towards positive, or towards negative. */
  shaded(text, scores) {
    const words = wordsOf(scores, this.good);
    const points = characters(text);
    const strongest = Math.max(...words.map((word) => Math.abs(word.weight)), 1e-9);
    const content = [];
    let end = 0;
    for (const { weight, start, end: stop } of words) {
      const word = element("span", { class: `word ${weight >= 0 ? "good" : "bad"}`,
        title: `${weight >= 0 ? "towards" : "away from"} ${this.good}: ${Math.abs(weight).toFixed(3)}` },
      points.slice(start, stop).join(""));
      word.style.setProperty("--weight", `${(60 * Math.abs(weight)) / strongest}%`);
      content.push(points.slice(end, start).join(""), word);
      end = stop;
    }
    return element("p", { class: "text", dir: "auto" }, ...content, points.slice(end).join(""));
  }

  showTable() {
    const sorted = [...this.rows].sort([
      (a, b) => a.place - b.place, (a, b) => b.score - a.score, (a, b) => a.score - b.score,
    ][this.order]);
    const turn = () => {
      this.order = (this.order + 1) % 3;
      this.showTable();
      this.output.querySelector("th button").focus();
    };
    const how = ["none", "descending", "ascending"][this.order];
    this.output.replaceChildren(this.summary(), element("div", { class: "scroll", tabindex: "0",
      role: "region", "aria-label": "Sentiment of each line" }, element("table", {},
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Line"),
        element("th", { scope: "col", "aria-sort": how }, element("button",
          { type: "button", class: "quiet", onclick: turn }, `${this.good} ${["↕", "↓", "↑"][this.order]}`)))),
      element("tbody", {}, ...sorted.map((row) => this.row(row))))));
  }

  row({ text, score }) {
    const label = score >= 0.5 ? this.good : this.bad;
    return element("tr", {}, element("td", { dir: "auto" }, text),
      element("td", { class: "number" }, meter(score, `${percent(score)} ${this.good}`),
        element("span", { class: label === this.good ? "good" : "bad" }, percent(score))));
  }

  /** How many lines fall into each tenth of the probability. */
  summary() {
    const counts = Array(BINS).fill(0);
    for (const { score } of this.rows) counts[Math.min(BINS - 1, Math.floor(score * BINS))] += 1;
    const highest = Math.max(...counts);
    const bars = counts.map((count, i) => drawing("rect", { x: i * 20 + 1, width: 18, rx: 2,
      y: 40 - (38 * count) / highest, height: (38 * count) / highest, class: i < BINS / 2 ? "bad" : "good" }));
    const goods = this.rows.filter((row) => row.score >= 0.5).length;
    return element("div", { class: "summary" },
      element("p", {}, element("strong", {}, `${goods} of ${this.rows.length}`), ` lines are ${this.good}`),
      element("div", { class: "spread" }, drawing("svg", { viewBox: "0 0 200 42", role: "img",
        "aria-label": `Lines by probability, from ${this.bad} to ${this.good}: ${counts.join(", ")}` }, ...bars),
      this.ends()));
  }
}

/** The words of an explained answer; weights above 0 speak for `label`. */
function wordsOf(scores, label) {
  const found = scores.find((score) => score.words);
  const sign = found && found.label !== label ? -1 : 1;
  return (found?.words ?? []).map((word) => ({ ...word, weight: sign * word.weight }));
}

function meter(score, label) {
  const bar = element("span", { class: "meter", role: "img", "aria-label": label }, element("span"));
  bar.firstChild.style.setProperty("--score", `${100 * score}%`);
  return bar;
}
