// Past and saved translations, kept in this browser and nowhere else.

import { element } from "./dom.js";

const KEYS = { recent: "sluice.recent", saved: "sluice.saved" };
const KEPT = { recent: 20, saved: 200 };

const read = (kind) => JSON.parse(localStorage.getItem(KEYS[kind]) ?? "[]");
const same = (a, b) => a.text === b.text && a.tgt_lang === b.tgt_lang;

/** The lists below the translation; `recall(phrase)` puts one back. */
export class Phrases {
  constructor(root, recall) {
    Object.assign(this, { root, recall });
    this.show();
  }

  remember(phrase) {
    const older = read("recent").filter((one) => !same(one, phrase) && !grewInto(one, phrase));
    this.write("recent", [phrase, ...older]);
  }

  save(phrase) {
    this.write("saved", [phrase, ...read("saved").filter((one) => !same(one, phrase))]);
  }

  write(kind, phrases) {
    const kept = phrases.slice(0, KEPT[kind]).map(({ text, translation_text, src_lang, tgt_lang }) =>
      ({ text, translation_text, src_lang, tgt_lang }));
    localStorage.setItem(KEYS[kind], JSON.stringify(kept));
    this.show();
  }

  show() {
    this.root.replaceChildren(this.list("saved", "Saved"), this.list("recent", "History"));
  }

  list(kind, title) {
    const phrases = read(kind);
    const forget = () => this.write(kind, []);
    const open = this.root.querySelector(`.${kind}`)?.open ?? false;
    return element("details", { class: kind, open },
      element("summary", {}, `${title} (${phrases.length})`),
      element("ul", {}, ...phrases.map((phrase) => this.entry(kind, phrase))),
      phrases.length ? element("button", { type: "button", class: "quiet", onclick: forget }, "Forget all") : null);
  }

  entry(kind, phrase) {
    return element("li", {}, element("button", { type: "button", class: "phrase",
      onclick: () => this.recall(phrase) },
    element("span", { dir: "auto" }, phrase.text),
    element("span", { dir: "auto", lang: phrase.tgt_lang }, phrase.translation_text)),
    element("button", { type: "button", class: "quiet", "aria-label": `Forget “${phrase.text}”`,
      onclick: () => this.forget(kind, phrase) }, "×"));
  }

  forget(kind, phrase) {
    this.write(kind, read(kind).filter((one) => !same(one, phrase)));
    this.root.querySelector(`.${kind} summary`).focus();
  }
}

/** What was there while one was still writing is no history. */
function grewInto(older, newer) {
  return older.tgt_lang === newer.tgt_lang && newer.text.startsWith(older.text);
}
