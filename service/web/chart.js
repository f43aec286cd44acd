// A line chart of the last minute.

import { drawing, element } from "./dom.js";

const [WIDTH, HEIGHT, POINTS] = [600, 100, 60];

/** `lines` are `[name, hue]`; `push` adds one value a line, null where there is none. */
export class Chart {
  constructor(title, unit, lines, digits = 1) {
    Object.assign(this, { unit, digits, values: lines.map(() => []) });
    this.told = lines.map(() => element("b"));
    this.scale = element("span");
    this.drawn = lines.map(([, hue]) => drawing("polyline", { class: `hue-${hue}` }));
    this.node = element("section", { class: "card chart", "aria-label": title },
      element("h2", {}, title, this.scale),
      drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
        ...[0, HEIGHT].map((y) => drawing("line", { class: "axis", x1: 0, x2: WIDTH, y1: y, y2: y })), ...this.drawn),
      element("p", { class: "keys" }, ...lines.map(([name, hue], i) =>
        element("span", { class: `hue-${hue}` }, `${name} `, this.told[i]))));
  }

  push(values) {
    values.forEach((value, i) => { this.values[i] = [...this.values[i], value].slice(-POINTS); });
    values.forEach((value, i) => { this.told[i].textContent = value === null ? "–" : value.toFixed(this.digits); });
    this.draw();
  }

  draw() {
    const highest = Math.max(...this.values.flat(), 0) || 1;
    this.scale.textContent = `${highest.toFixed(this.digits)} ${this.unit}`;
    this.values.forEach((line, i) => {
      const points = line.map((value, at) => [at + POINTS - line.length, value]).filter(([, value]) => value !== null)
        .map(([at, value]) => `${(at * WIDTH) / (POINTS - 1)},${HEIGHT - (value * HEIGHT) / highest}`);
      this.drawn[i].setAttribute("points", points.join(" "));
    });
  }
}
