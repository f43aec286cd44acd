// Answers while one types.

import { characters } from "./dom.js";
import { clear, tell } from "./notice.js";

/** Runs `work(text, signal)` a moment after the last change; a newer run cancels the older. */
export class Typing {
  constructor(area, counter, { work, empty, limit, delay = 120 }) {
    Object.assign(this, { area, counter, work, empty, limit, delay });
    this.running = new AbortController();
    area.addEventListener("input", () => this.changed());
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.now();
    });
  }

  changed() {
    clearTimeout(this.timer);
    this.grow();
    this.timer = setTimeout(() => this.now(), this.delay);
  }

  /** The box is as high as its text; the counter tells how much of the limit is used. */
  grow() {
    const count = characters(this.area.value).length;
    this.counter.textContent = `${count.toLocaleString("en")} / ${this.limit.toLocaleString("en")}`;
    this.counter.classList.toggle("over", count > this.limit);
    this.area.style.height = "auto";
    this.area.style.height = `${this.area.scrollHeight}px`;
  }

  async now() {
    clearTimeout(this.timer);
    this.running.abort();
    this.running = new AbortController();
    const { signal } = this.running;
    const text = this.area.value;
    this.grow();
    clear();
    if (!text.trim()) {
      this.empty();
      return;
    }
    try {
      await this.work(text, signal);
    } catch (error) {
      if (!signal.aborted) tell(error, () => this.now());
    }
  }
}
