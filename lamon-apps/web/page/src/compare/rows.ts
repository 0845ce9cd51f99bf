// The nodes that are compared: in which order, and between which values.
import type { HeatAnswer } from "../types";

/** From how many robust deviations on a node is unlike the others. */
export const OUTLIER = 3;

export type Row = HeatAnswer["nodes"][number];
export type Order = "name" | "apart";

const collator = new Intl.Collator(undefined, { numeric: true });

export function isOutlier(row: Row): boolean {
  return row.apart !== null && Math.abs(row.apart) > OUTLIER;
}

/** How far apart, as people want it. */
export function apartText({ apart }: Row): string {
  return apart === null ? "" : apart.toFixed(Math.abs(apart) >= 10 ? 0 : 1);
}

/** By name, or the most unlike first. */
export function ordered(rows: readonly Row[], order: Order): Row[] {
  const apart = (row: Row) => Math.abs(row.apart ?? 0);
  return [...rows].sort((a, b) => (order === "apart" ? apart(b) - apart(a) : 0) || collator.compare(a.node, b.node));
}

/** What the darkest and the brightest colour are. */
export function bounds({ unit, nodes }: HeatAnswer): [number, number] {
  if (unit === "%") return [0, 100];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { mean } of nodes) {
    for (const value of mean) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [0, 1];
  return low === high ? [low, low + 1] : [low >= 0 && low < high / 2 ? 0 : low, high];
}
