// The axes of a curve: times in digits that every language reads, values in their unit.
import type uPlot from "uplot";
import { amount } from "../format";
import { colourOf } from "./style";

const MINUTE = 60_000;
const DAY = 86_400_000;

const two = (value: number) => `${value}`.padStart(2, "0");

/** The times at an axis; where the day, or the year, is another than before it stands below. */
export function times(splits: readonly number[], step_ms: number): string[] {
  const parts = splits.map((at) => {
    const date = new Date(at);
    const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    const year = `${date.getFullYear()}`;
    if (step_ms < DAY) return [hour(date, step_ms), `${year}-${day}`];
    if (step_ms < 28 * DAY) return [day, year];
    return [step_ms < 360 * DAY ? `${year}-${two(date.getMonth() + 1)}` : year, ""];
  });
  return parts.map(([upper = "", lower = ""], place) => {
    const [before, after] = [parts[place - 1]?.[1], parts[place + 1]?.[1]];
    // Two dates have no room beside each other: the second says more.
    const crowded = before === undefined && after !== undefined && after !== lower;
    return lower === before || lower === "" || crowded ? upper : `${upper}\n${lower}`;
  });
}

function hour(date: Date, step_ms: number): string {
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return step_ms < MINUTE ? `${minutes}:${two(date.getSeconds())}` : minutes;
}

/** Both axes. */
export function axes(unit: string): uPlot.Axis[] {
  const [stroke, line] = [colourOf("faint"), colourOf("line-colour")];
  const font = "11px system-ui, sans-serif";
  const common = { stroke, font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 } };
  return [
    { ...common, size: 36, space: 64, values: (_, splits, __, ___, step) => times(splits, step) },
    { ...common, size: 66, space: 28, values: (_, splits) => splits.map((value) => amount(value, unit)) },
  ];
}

/** What is seen of the values: from zero where that leaves something to see, with the limits that are near. */
export function valueRange(unit: string, seen: [number, number] | null, limits: readonly number[]): [number, number] {
  if (unit === "%") return [0, Math.max(100, seen?.[1] ?? 0)];
  let [low, high] = seen ?? [0, 1];
  if (low >= 0 && low <= high / 2) low = 0;
  const length = high - low || Math.abs(high) || 1;
  for (const limit of limits) {
    if (limit > high && limit <= low + 3 * length) high = limit;
    if (limit < low && limit >= high - 3 * length) low = limit;
  }
  const pad = (high - low || 1) * 0.08;
  return [low === 0 ? 0 : low - pad, high + pad];
}
