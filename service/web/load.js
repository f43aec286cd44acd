// A short, bounded load at the service that this page came from, and only from its own machine.

import { call } from "./service.js";

const SECONDS = 8;
const CALLERS = 16;
const TEXTS = [
  "Anna Schmidt flew from Munich to Oslo on Monday.",
  "How are you today?",
  "The room was clean, but the food was cold and the waiter was rude.",
  "Where is the next station? I would like to buy two tickets for the train to Berlin, please.",
];

/** True where the service runs on the machine of the browser. */
export const isLoopback = ["localhost", "[::1]"].includes(location.hostname) || location.hostname.startsWith("127.");

/** Calls of all `models` in turn for a few seconds: `{answered, refused}`. */
export async function sendLoad(models) {
  const until = performance.now() + 1000 * SECONDS;
  const counts = { answered: 0, refused: 0 };
  const callers = Array.from({ length: CALLERS }, (_, i) => callAgain(models, i, until, counts));
  await Promise.all(callers);
  return counts;
}

async function callAgain(models, first, until, counts) {
  for (let i = first; performance.now() < until; i += 1) {
    const model = models[i % models.length];
    const [direction] = model.directions;
    const parameters = direction ? { src_lang: direction.src_lang, tgt_lang: direction.tgt_lang, num_beams: 1 } : {};
    try {
      await call(model.endpoint, { inputs: TEXTS[(i + first) % TEXTS.length], parameters });
      counts.answered += 1;
    } catch {
      counts.refused += 1;
      await new Promise((resume) => { setTimeout(resume, 100); });
    }
  }
}
