// What is drawn of a metric: the stored curve of each node, with what came since behind it.
import uPlot from "uplot";
import type { Series } from "../types";
import type { Points } from "./since";

/** A node's curve of one metric. Times in ms; null is a gap. */
export interface Line {
  node: string;
  time: number[];
  mean: (number | null)[];
  /** Smallest and largest of each step; null when every sample is there. */
  band: { min: (number | null)[]; max: (number | null)[] } | null;
}

/** After how many steps without a sample there is a gap; as many as make a node silent. */
const GAP_STEPS = 3;

/**
 * Joins the stored curve, which was asked for at a moment, and what came since. `interval_ms` is the time between the node's
 * samples, 0 when not known.
 */
export function joined(node: string, metric: string, stored: Series | undefined, asked_ms: number, since: Points | undefined, interval_ms: number): Line {
  const curve = stored?.metrics[metric];
  const time = [...(stored?.time_ms ?? [])];
  const mean = curve === undefined ? time.map(() => null) : [...curve.mean];
  const banded = stored !== undefined && curve !== undefined && stored.step_ms > 0;
  const min = banded ? [...curve.min] : [];
  const max = banded ? [...curve.max] : [];
  let last = time.at(-1) ?? Number.NEGATIVE_INFINITY;
  // A step has the samples until its end, but for those that were taken after it was read.
  const covered = banded ? Math.max(last, Math.min(last + stored.step_ms, asked_ms)) : last;
  const gap = GAP_STEPS * Math.max(banded ? stored.step_ms : 0, interval_ms || 10_000);
  const put = (at: number, value: number | null) => {
    time.push(at);
    mean.push(value);
    if (banded) {
      min.push(value);
      max.push(value);
    }
  };
  for (let at = 0; at < (since?.time.length ?? 0); at += 1) {
    const taken = since?.time[at] ?? 0;
    if (taken <= covered) continue;
    if (taken - last > gap && time.length > 0) put(last + 1, null);
    put(taken, since?.value[at] ?? null);
    last = taken;
  }
  return { node, time, mean, band: banded ? { min, max } : null };
}

/** The lines as uPlot wants them: one column of times for all, and for each line its mean, and its band where any has one. */
export function aligned(lines: readonly Line[], banded: boolean): uPlot.AlignedData {
  const tables = lines.map((line) => {
    const columns: (number | null)[][] = [line.mean];
    if (banded) columns.push(line.band?.min ?? line.mean, line.band?.max ?? line.mean);
    return [line.time, ...columns] as uPlot.AlignedData;
  });
  const [only] = tables;
  if (only === undefined) return [[]];
  return tables.length === 1 ? only : uPlot.join(tables);
}

/** The smallest and the largest value between two moments; null when there is none. */
export function extent(lines: readonly Line[], from: number, to: number): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { time, mean, band } of lines) {
    for (let at = 0; at < time.length; at += 1) {
      const taken = time[at] ?? 0;
      const value = mean[at];
      if (taken < from || taken > to || value === null || value === undefined) continue;
      low = Math.min(low, band?.min[at] ?? value);
      high = Math.max(high, band?.max[at] ?? value);
    }
  }
  return low <= high ? [low, high] : null;
}

/** The newest value; null when there is none. */
export function newest({ time, mean }: Line): { time: number; value: number } | null {
  for (let at = time.length - 1; at >= 0; at -= 1) {
    const value = mean[at];
    if (value !== null && value !== undefined) return { time: time[at] ?? 0, value };
  }
  return null;
}
