// Elements without markup: text is always text.

/** An element; a function as attribute `onclick` listens, false and null leave one out. */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function drawing(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** A button that copies what `text()` gives, and says so. */
export function copyButton(label, text) {
  const button = element("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    await copy(text());
    say(button, "Copied", label);
  });
  return button;
}

/** `button` tells for a moment that it has done its work. */
export function say(button, done, label) {
  button.textContent = done;
  setTimeout(() => { button.textContent = label; }, 1200);
}

/** Browsers keep the clipboard from pages that came by plain HTTP from another machine. */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element("textarea", { class: "hidden" }, text);
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Buttons of examples; a click puts one into `area`. */
export function examples(area, texts) {
  const use = (text) => () => {
    area.value = text;
    area.dispatchEvent(new Event("input"));
    area.focus();
  };
  return texts.map(([label, text]) =>
    element("button", { type: "button", class: "chip", onclick: use(text) }, label));
}

/** Characters as the service counts them: code points, not UTF-16 units. */
export const characters = (text) => Array.from(text);

/** `text` cut at most `limit` characters a piece, at a line, a space, or wherever it must. */
export function pieces(text, limit) {
  const points = characters(text);
  const cut = [];
  for (let start = 0; start < points.length;) {
    let end = Math.min(start + limit, points.length);
    if (end < points.length) end = breakBefore(points, start, end);
    cut.push({ start, text: points.slice(start, end).join("") });
    start = end;
  }
  return cut;
}

function breakBefore(points, start, end) {
  for (const mark of ["\n", " "]) {
    const found = points.lastIndexOf(mark, end - 1);
    if (found > start) return found + 1;
  }
  return end;
}

export const percent = (value) => `${(100 * value).toFixed(1)} %`;
