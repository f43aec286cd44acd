// The live page: the service's own metrics, once a second.

import { Chart } from "./chart.js";
import { element } from "./dom.js";
import { isLoopback, sendLoad } from "./load.js";
import { clear, tell } from "./notice.js";
import { Interval, parse } from "./prometheus.js";
import { Problem, metrics, models } from "./service.js";

const state = document.getElementById("state");
const slots = document.getElementById("slots");
const TRANSLATION = { task: "translation" };
const SLOTS = 32;

/** A chart of one figure of each task. */
const byTask = (tasks, title, unit, digits, figure) => ({
  chart: new Chart(title, unit, tasks.map((task, i) => [task, i]), digits),
  read: (interval) => tasks.map((task) => figure(interval, { task })),
});

const inMilliseconds = (seconds) => (seconds === null ? null : 1000 * seconds);

function figures(tasks) {
  const seconds = "sluice_request_duration_seconds";
  return [
    byTask(tasks, "Requests", "a second", 0, (told, of) => told.rate("sluice_requests_total", of)),
    byTask(tasks, "Latency, half of the requests", "ms", 1, (told, of) => inMilliseconds(told.quantile(0.5, seconds, of))),
    byTask(tasks, "Latency, 99 of 100", "ms", 1, (told, of) => inMilliseconds(told.quantile(0.99, seconds, of))),
    byTask(tasks, "Rows of a batch", "rows", 1, (told, of) => told.mean("sluice_batch_rows", of)),
    byTask(tasks, "Tokens computed for each real token", "", 2, padding),
    byTask(tasks, "Waiting", "rows", 0, (told, of) => told.gauge("sluice_queue_rows", of)),
    { chart: new Chart("Refused or failed", "a second", [["all tasks", 4]], 0),
      read: (told) => [told.rate("sluice_refusals_total")] },
    { chart: new Chart("Generated", "tokens a second", [["all tasks", 4]], 0),
      read: (told) => [told.rate("sluice_generated_tokens_total")] },
  ];
}

function padding(told, of) {
  const real = told.growth("sluice_real_tokens_total", of);
  return real ? told.growth("sluice_padded_tokens_total", of) / real : null;
}

/** A text joins the decoder batch with a row for each of its beams, and leaves with its answer. */
function showDecoder(told) {
  const inFlight = told.gauge("sluice_decoder_rows_in_flight", TRANSLATION);
  const joined = told.growth("sluice_batch_rows_sum", TRANSLATION);
  const answered = told.growth("sluice_requests_total", TRANSLATION);
  const steps = told.rate("sluice_decoder_steps_total", TRANSLATION);
  document.getElementById("decoder-now").replaceChildren(`${inFlight} rows in flight `, element("small", {},
    `${joined} sentences joined, ${answered} requests left, ${steps.toFixed(0)} steps in the last second`));
  [...slots.children].forEach((slot, i) => {
    slot.classList.toggle("busy", i < inFlight);
    slot.classList.toggle("joined", i < inFlight && i >= inFlight - joined);
  });
}

function watch(shown, first) {
  let [before, at] = [first, performance.now()];
  const read = async () => {
    try {
      const [now, time] = [parse(await metrics()), performance.now()];
      const told = new Interval(now, before, (time - at) / 1000);
      for (const { chart, read: values } of shown) chart.push(values(told));
      showDecoder(told);
      [before, at] = [now, time];
      clear();
      state.textContent = "live";
    } catch (error) {
      tell(error, () => {});
    }
    setTimeout(read, 1000);
  };
  setTimeout(read, 1000);
}

function offerLoad(served) {
  const [button, told] = ["load", "load-state"].map((id) => document.getElementById(id));
  button.hidden = !isLoopback;
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.textContent = "16 callers for 8 seconds …";
    const { answered, refused } = await sendLoad(served);
    told.textContent = `${answered} answered, ${refused} refused.`;
    button.disabled = false;
  });
}

/** Where operators gave the metrics a port of their own, nobody watches here, nor sends a load. */
async function firstReading() {
  try {
    return parse(await metrics());
  } catch (error) {
    if (error.status !== 404) throw error;
    throw new Problem(404, "no /metrics on this port, so there is nothing to draw: " +
      "SLUICE_ADMIN_PORT moved it to a port for operators; 0 brings it back");
  }
}

async function start() {
  try {
    const { models: served } = await models();
    const first = await firstReading();
    const shown = figures(served.map((model) => model.task));
    document.getElementById("charts").append(...shown.map(({ chart }) => chart.node));
    slots.append(...Array.from({ length: SLOTS }, () => element("span", { class: "slot" })));
    offerLoad(served);
    watch(shown, first);
  } catch (error) {
    tell(error, start);
  }
}

start();
