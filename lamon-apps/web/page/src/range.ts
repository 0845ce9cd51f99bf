// The stretch of time that is shown: one that ends now and moves with it, or a fixed one.
import { change, route } from "./route";

export interface Span {
  from: number;
  to: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The longest that the server answers for. */
export const LONGEST_MS = 20 * 365 * DAY;
/** The shortest that is worth looking at. */
const SHORTEST_MS = 10_000;

/** The stretches that end now. `all` is as long as anything is known. */
export const LAST = { "1h": HOUR, "6h": 6 * HOUR, "1d": DAY, "1w": 7 * DAY, "1m": 30 * DAY, "1y": 365 * DAY, all: LONGEST_MS } as const;
export type Last = keyof typeof LAST;

/** What the address says: a stretch that ends now by its name, or a fixed one. */
export function wanted(usual: Last): Last | Span {
  const params = route.value.params;
  const [from, to] = [Number(params.get("from")), Number(params.get("to"))];
  if (from > 0 && to > from) return sensible({ from, to });
  const name = params.get("range") ?? "";
  return name in LAST ? (name as Last) : usual;
}

/** Shows the last hour, day, …, and moves with the time. */
export function showLast(name: Last): void {
  change({ range: name, from: null, to: null });
}

/** Shows a fixed stretch. */
export function show(span: Span): void {
  const { from, to } = sensible(span);
  change({ range: null, from: `${Math.round(from)}`, to: `${Math.round(to)}` });
}

/** Within what can be asked, and never shorter than anything is seen in. */
function sensible({ from, to }: Span): Span {
  const length = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, to - from));
  const middle = (from + to) / 2;
  const start = Math.max(0, middle - length / 2);
  return { from: start, to: start + length };
}

/** The same, earlier or later by a part of its length. */
export function moved({ from, to }: Span, part: number): Span {
  const by = (to - from) * part;
  return { from: from + by, to: to + by };
}

/** Longer or shorter by a factor, with one moment staying where it is. */
export function zoomed({ from, to }: Span, factor: number, about = (from + to) / 2): Span {
  return { from: about - (about - from) * factor, to: about + (to - about) * factor };
}

/** A stretch that ends now, in steps that are no finer than the screen: what is asked stays the same in between. */
export function upTo(now: number, length: number): Span {
  const step = Math.max(1000, length / 1000);
  const to = Math.ceil(now / step) * step;
  return { from: to - length, to };
}
