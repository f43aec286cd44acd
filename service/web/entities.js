// Entities: the text with its people, organizations, places and times marked.

import { characters, copyButton, element, examples, percent, pieces } from "./dom.js";
import { call } from "./service.js";
import { Typing } from "./typing.js";

const NAMES = { PER: "people", ORG: "organizations", LOC: "places", TIME: "times" };
const EXAMPLES = [
  ["News", "Rudolph Smith bought 1000 shares of Tesla Inc. in March 2020."],
  ["Biography", "Marie Curie was born in Warsaw in 1867. She moved to Paris in 1891 and taught at the " +
    "University of Paris, where she worked with her husband Pierre Curie until his death on 19 April 1906."],
  ["Mail", "Hi Priya,\n\nthe meeting with Siemens AG moved to next Tuesday. Tom flies from Munich to " +
    "New Delhi on Sunday evening and will call you from the hotel.\n\nBest,\nAnna Schmidt"],
  ["Message", "pankaj lives in munich and works for infosys since 2019 \u{1F44D}"],
];

/** The pane of `model`; `root` holds its elements. */
export class Entities {
  constructor(root, model, limits, cost) {
    Object.assign(this, { model, limits, cost, found: [], text: "" });
    this.hidden = new Set();
    this.output = root.querySelector(".output");
    this.legend = root.querySelector(".legend");
    const area = root.querySelector("textarea");
    root.querySelector(".examples").append(...examples(area, EXAMPLES));
    root.querySelector(".copies").append(
      copyButton("Copy JSON", () => JSON.stringify(this.found, null, 2)),
      copyButton("spaCy", () => spacy(this.text, this.found)),
      copyButton("CoNLL", () => conll(this.text, this.found)),
    );
    this.typing = new Typing(area, root.querySelector(".counter"), {
      work: (text, signal) => this.run(text, signal),
      empty: () => this.show("", []),
      limit: limits.max_chars * limits.max_inputs,
    });
    this.show("", []);
    area.value ||= EXAMPLES[0][1];
  }

  /** A long text goes in pieces, and its offsets come back as those of the whole. */
  async run(text, signal) {
    const parts = pieces(text, this.limits.max_chars);
    const inputs = parts.length === 1 ? text : parts.map((part) => part.text);
    const { answer, cost } = await call(this.model.endpoint, { inputs }, signal);
    const answers = parts.length === 1 ? [answer] : answer;
    const moved = (entity, by) => ({ ...entity, start: entity.start + by, end: entity.end + by });
    this.show(text, answers.flatMap((found, i) => found.map((one) => moved(one, parts[i].start))));
    this.cost.show(cost);
  }

  show(text, found) {
    Object.assign(this, { text, found });
    this.output.replaceChildren(...(text ? this.marked() : [
      element("p", { class: "hint" }, "Write or paste a text: names, places and times light up as you type.")]));
    this.legend.replaceChildren(...this.model.labels.map((label) => this.toggle(label)));
  }

  marked() {
    const points = characters(this.text);
    const content = [];
    let end = 0;
    for (const entity of this.found) {
      if (this.hidden.has(entity.entity_group)) continue;
      content.push(points.slice(end, entity.start).join(""), this.mark(entity));
      end = entity.end;
    }
    return [element("p", { class: "text", dir: "auto" }, ...content, points.slice(end).join(""))];
  }

  mark({ entity_group: group, score, word }) {
    const sure = percent(score);
    return element("mark", { class: `entity hue-${this.hue(group)}`, tabindex: "0", "data-score": sure,
      "aria-label": `${word}, ${group}, ${sure} sure` },
    element("bdi", {}, word), element("span", { class: "tag" }, group));
  }

  hue(label) {
    return Math.max(0, this.model.labels.indexOf(label)) % 8;
  }

  toggle(label) {
    const count = this.found.filter((entity) => entity.entity_group === label).length;
    const flip = () => {
      if (!this.hidden.delete(label)) this.hidden.add(label);
      this.show(this.text, this.found);
      [...this.legend.children][this.model.labels.indexOf(label)].focus();
    };
    return element("button", { type: "button", class: `key hue-${this.hue(label)}`,
      "aria-pressed": String(!this.hidden.has(label)), onclick: flip },
    element("span", { class: "tag" }, label), element("span", {}, NAMES[label] ?? ""),
    element("output", {}, String(count)));
  }
}

/** A training example of spaCy. */
function spacy(text, found) {
  const spans = found.map((one) => `(${one.start}, ${one.end}, ${JSON.stringify(one.entity_group)})`);
  return `(${JSON.stringify(text)}, {"entities": [${spans.join(", ")}]})`;
}

/** A word and its BIO tag a line. */
function conll(text, found) {
  const starts = offsets(text);
  const lines = [...text.matchAll(/[\p{L}\p{M}\p{N}_]+|[^\s]/gu)].map((match) => {
    const at = starts.get(match.index);
    const entity = found.find((one) => one.start <= at && at < one.end);
    if (!entity) return `${match[0]}\tO`;
    return `${match[0]}\t${at === entity.start ? "B" : "I"}-${entity.entity_group}`;
  });
  return `${lines.join("\n")}\n`;
}

/** Where each character starts: UTF-16 units to code points. */
function offsets(text) {
  const starts = new Map();
  let unit = 0;
  characters(text).forEach((character, point) => {
    starts.set(unit, point);
    unit += character.length;
  });
  return starts;
}
