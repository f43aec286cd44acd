// Calls to the service that this page came from.

const KEY = "sluice.key";

/** What the service refused, in its own words (RFC 9457); `retryAfter` in seconds. */
export class Problem extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The address of the service, without a slash at its end. */
export const origin = new URL(".", document.baseURI).href.replace(/\/$/, "");

/** Keep the key for as long as this tab is open. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

function headers() {
  const key = sessionStorage.getItem(KEY);
  return {
    "Content-Type": "application/json",
    ...(key ? { Authorization: `Bearer ${key}` } : {}),
  };
}

async function request(path, body, signal) {
  const told = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const response = await fetch(origin + path, { ...told, headers: headers(), signal });
  if (!response.ok) throw await problem(response);
  return response;
}

async function problem(response) {
  const retryAfter = Number(response.headers.get("retry-after")) || 0;
  const told = await response.json().catch(() => ({}));
  return new Problem(response.status, told.detail ?? `status ${response.status}`, retryAfter);
}

/** Which models serve, and the limits of a call. */
export async function models() {
  return (await request("/models")).json();
}

/** Metrics as Prometheus text. */
export async function metrics() {
  return (await request("/metrics")).text();
}

/** An answer with what it cost. */
export async function call(path, body, signal) {
  const began = performance.now();
  const response = await request(path, body, signal);
  const answer = await response.json();
  return { answer, cost: cost(response, path, body, performance.now() - began) };
}

function cost(response, path, body, roundTrip) {
  const batchRows = Number(response.headers.get("x-batch-rows"));
  return { path, body, roundTrip, batchRows, ...durations(response.headers.get("server-timing")) };
}

/** `{queue: 0.1, infer: 3.2, …}` in milliseconds of a Server-Timing header. */
function durations(header) {
  const found = [...(header ?? "").matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return Object.fromEntries(found.map(([, name, ms]) => [name, Number(ms)]));
}

/** Server-sent events of an answer as it grows: `{event, data}`. */
export async function* stream(path, body, signal) {
  const response = await request(path, body, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (waiting + value.replaceAll("\r\n", "\n")).split("\n\n");
    waiting = parts.pop();
    yield* parts.map(parseEvent);
  }
}

function parseEvent(block) {
  const lines = block.split("\n").map((line) => line.match(/^(\w+): ?(.*)$/)).filter(Boolean);
  const data = lines.filter(([, field]) => field === "data").map(([, , value]) => value);
  const name = lines.find(([, field]) => field === "event");
  return { event: name ? name[2] : "message", data: JSON.parse(data.join("\n") || "null") };
}
