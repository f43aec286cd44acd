// Two readings of Prometheus text, and what happened between them.

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Samples of a text: `{name, labels, value}`. */
export function parse(text) {
  return text.split("\n").map((line) => line.match(LINE)).filter(Boolean).map(([, name, labels, value]) =>
    ({ name, labels: Object.fromEntries([...(labels ?? "").matchAll(LABEL)].map(([, key, told]) => [key, told])),
      value: Number(value.replace("Inf", "Infinity")) }));
}

/** A later and an earlier reading, `seconds` apart. */
export class Interval {
  constructor(now, before, seconds) {
    Object.assign(this, { now, before, seconds });
  }

  /** Sum of a gauge's series. */
  gauge(name, labels = {}) {
    return sum(this.now, name, labels);
  }

  /** Growth of a counter. */
  growth(name, labels = {}) {
    return Math.max(0, sum(this.now, name, labels) - sum(this.before, name, labels));
  }

  rate(name, labels = {}) {
    return this.growth(name, labels) / this.seconds;
  }

  /** Mean of a histogram's observations, null without any. */
  mean(name, labels = {}) {
    const count = this.growth(`${name}_count`, labels);
    return count ? this.growth(`${name}_sum`, labels) / count : null;
  }

  /** A quantile as Prometheus' histogram_quantile has it: linear within its bucket. */
  quantile(q, name, labels = {}) {
    const bounds = [...new Set(this.now.filter((one) => one.name === `${name}_bucket`).map((one) => one.labels.le))];
    const buckets = bounds.map((le) => [le === "+Inf" ? Infinity : Number(le),
      this.growth(`${name}_bucket`, { ...labels, le })]).sort(([a], [b]) => a - b);
    const rank = q * (buckets.at(-1)?.[1] ?? 0);
    if (!rank) return null;
    const at = buckets.findIndex(([, count]) => count >= rank);
    const [floor, below] = at ? buckets[at - 1] : [0, 0];
    const [ceiling, count] = buckets[at];
    return ceiling === Infinity ? floor : floor + ((ceiling - floor) * (rank - below)) / (count - below);
  }
}

function sum(samples, name, labels) {
  const wanted = Object.entries(labels);
  return samples.filter((one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value))
    .reduce((total, one) => total + one.value, 0);
}
