// Translation: two boxes, streamed as it is made, with what the model can tell about it.

import { characters, copyButton, element, examples, percent, say } from "./dom.js";
import { tell } from "./notice.js";
import { Phrases } from "./phrases.js";
import { call, stream } from "./service.js";
import { Typing } from "./typing.js";

const NAMES = new Intl.DisplayNames("en", { type: "language" });
const EXAMPLES = [
  ["Greeting", "Hello, how are you?"],
  ["Travel", "Where is the station? I would like a ticket to Berlin."],
  ["Question", "Did you eat?"],
  ["Deutsch", "Das Wetter ist heute sehr schön."],
];
const ALTERNATIVES = 4;

/** The pane of `model`; `root` holds its elements. */
export class Translation {
  constructor(root, model, limits, cost) {
    Object.assign(this, { model, cost, extras: { alignments: true, romanize: true } });
    for (const name of ["source", "target", "swap", "result", "below", "alternatives", "status", "mirror"]) {
      this[name] = root.querySelector(`.${name}`);
    }
    this.area = root.querySelector("textarea");
    this.fillPickers();
    this.phrases = new Phrases(root.querySelector(".phrases"), (phrase) => this.recall(phrase));
    root.querySelector(".examples").append(...examples(this.area, EXAMPLES));
    root.querySelector(".copies").append(
      copyButton("Copy", () => this.answer?.translation_text ?? ""), ...this.speaker(),
      element("button", { type: "button", class: "quiet", onclick: (event) => this.save(event.target) }, "Save"));
    this.typing = new Typing(this.area, root.querySelector(".counter"), {
      work: (text, signal) => this.run(text, signal),
      empty: () => this.clear(),
      limit: limits.max_chars,
      delay: 350,
    });
    for (const picker of [this.source, this.target]) picker.addEventListener("change", () => this.picked());
    this.swap.addEventListener("click", () => this.turn());
    this.area.value ||= EXAMPLES[0][1];
  }

  fillPickers() {
    const { directions } = this.model;
    const codes = (end) => [...new Set(directions.map((pair) => pair[end]))];
    const option = (code) => element("option", { value: code }, NAMES.of(code));
    this.source.append(element("option", { value: "" }, "Detect language"), ...codes("src_lang").map(option));
    this.target.append(...codes("tgt_lang").map(option));
    if (codes("tgt_lang").includes("de")) this.target.value = "de";
  }

  picked() {
    if (this.source.value && this.source.value === this.target.value) this.avoid(this.source.value);
    this.typing.now();
  }

  /** Another target than `code`. */
  avoid(code) {
    const other = [...this.target.options].find((option) => option.value !== code);
    if (other) this.target.value = other.value;
  }

  parameters() {
    const source = this.source.value ? { src_lang: this.source.value } : {};
    return { ...source, tgt_lang: this.target.value };
  }

  /** The answer with all that the model can tell: not every model knows where its words come from. */
  async translate(text, signal) {
    const body = { inputs: text, parameters: { ...this.parameters(), ...this.extras } };
    try {
      return await call(this.model.endpoint, body, signal);
    } catch (error) {
      if (error.status !== 422 || !Object.keys(this.extras).length) throw error;
      this.extras = {};
      return this.translate(text, signal);
    }
  }

  async run(text, signal) {
    this.result.lang = this.target.value;
    const growing = new AbortController();
    signal.addEventListener("abort", () => growing.abort());
    this.grow({ inputs: text, parameters: this.parameters() }, growing.signal);
    const { answer, cost } = await this.translate(text, signal).finally(() => growing.abort());
    this.text = text;
    this.show(answer[0]);
    this.cost.show(cost);
    this.phrases.remember({ text, ...this.answer });
  }

  /** The greedy translation while it is made, until the best one is there and tells what failed. */
  async grow(body, signal) {
    this.result.classList.add("growing");
    let text = "";
    try {
      for await (const { event, data } of stream(`${this.model.endpoint}/stream`, body, signal)) {
        if (event !== "message" || signal.aborted) break;
        if (!text) this.putAway();
        text += data.text;
        this.result.textContent = text;
      }
    } catch {
      // The other call meets the same error, or was cancelled as this one was.
    } finally {
      this.result.classList.remove("growing");
    }
  }

  /** What was told of the translation before has nothing to say about this one. */
  putAway() {
    this.told = "";
    for (const part of [this.below, this.alternatives, this.status]) part.replaceChildren();
  }

  show(answer) {
    this.answer = answer;
    this.result.replaceChildren(...this.aligned(answer));
    const { romanization, quality, src_lang: source } = answer;
    this.below.textContent = romanization ?? "";
    this.source.options[0].textContent = answer.detected ? `${NAMES.of(source)} – detected` : "Detect language";
    this.told = quality == null ? "" : `Expected quality ${percent(quality)}`;
    this.unlight();
    this.alternatives.replaceChildren(element("button", { type: "button", class: "quiet",
      onclick: () => this.showAlternatives() }, "Show alternatives"));
  }

  /** Words of the translation that light up their source while the pointer or the focus is on them. */
  aligned({ translation_text: text, source_text: source = this.area.value, alignments }) {
    if (!alignments?.length) return [text];
    const points = characters(text);
    const content = [];
    let end = 0;
    for (const pair of alignments) {
      const { target_start: start, target_end: stop } = pair;
      if (start < end) continue;
      content.push(points.slice(end, start).join(""), element("span", { class: "aligned",
        onmouseenter: () => this.light(source, pair), onmouseleave: () => this.unlight() },
      points.slice(start, stop).join("")));
      end = stop;
    }
    return [...content, points.slice(end).join("")];
  }

  /** The word of the source lies behind the text box, in the same type at the same place. */
  light(source, { source_start: start, source_end: end }) {
    const points = characters(source);
    const word = points.slice(start, end).join("");
    this.status.textContent = `from “${word}”`;
    if (source !== this.area.value) return;
    this.mirror.replaceChildren(points.slice(0, start).join(""), element("mark", {}, word));
  }

  unlight() {
    this.status.textContent = this.told;
    this.mirror.replaceChildren();
  }

  async showAlternatives() {
    const parameters = { ...this.parameters(), num_beams: ALTERNATIVES, num_return_sequences: ALTERNATIVES };
    const best = this.answer;
    const { answer } = await call(this.model.endpoint, { inputs: this.text, parameters })
      .catch((error) => { tell(error, () => this.showAlternatives()); return { answer: [best] }; });
    if (best !== this.answer) return;
    const others = answer.map((one) => one.translation_text).filter((text) => text !== this.answer.translation_text);
    this.alternatives.replaceChildren(others.length
      ? element("ul", {}, ...[...new Set(others)].map((text) => element("li", { lang: this.target.value, dir: "auto" }, text)))
      : element("p", { class: "hint" }, "The model is sure: it has no other translation."));
  }

  clear() {
    this.answer = null;
    this.result.replaceChildren(element("span", { class: "hint" }, "Translation"));
    this.putAway();
    this.source.options[0].textContent = "Detect language";
  }

  /** The translation becomes the text, and the languages change places. */
  turn() {
    const source = this.source.value || this.answer?.src_lang;
    const target = this.target.value;
    if ([...this.source.options].some((option) => option.value === target)) this.source.value = target;
    if ([...this.target.options].some((option) => option.value === source)) this.target.value = source;
    else this.avoid(target);
    if (this.answer) this.area.value = this.answer.translation_text;
    this.typing.now();
  }

  save(button) {
    if (!this.answer) return;
    this.phrases.save({ text: this.text, ...this.answer });
    say(button, "Saved", "Save");
  }

  recall({ text, src_lang: source, tgt_lang: target }) {
    this.area.value = text;
    this.target.value = target;
    if (this.source.value) this.source.value = source ?? "";
    this.typing.now();
  }

  /** A button that reads aloud, where the browser can. */
  speaker() {
    if (!globalThis.speechSynthesis) return [];
    const speak = () => {
      const spoken = new SpeechSynthesisUtterance(this.answer?.translation_text ?? "");
      spoken.lang = this.target.value;
      speechSynthesis.cancel();
      speechSynthesis.speak(spoken);
    };
    return [element("button", { type: "button", class: "quiet", onclick: speak }, "Listen")];
  }
}
