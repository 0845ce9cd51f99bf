// A node's curves: stored ones with their live end, of the metrics and beside the nodes that the address says.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { moving } from "../act/suppose";
import { path, useAnswer } from "../ask";
import { Curve } from "../curve/curve";
import { limitLines } from "../curve/limits";
import { joined, type Line } from "../curve/lines";
import { since, taken } from "../curve/since";
import { now, nodes } from "../live";
import { LAST, show, showLast, upTo, type Last, type Span } from "../range";
import { RangePicker, nearest } from "../rangepicker";
import type { HistoryAnswer, NodeDetail } from "../types";
import { word } from "../words";
import { Chooser } from "./chooser";

/** How many points are asked for a curve: about as many as it has pixels. */
const POINTS = 1_500;
/** For how long the stretch must stay the same before it is asked when it was changing, ms. */
const REST_MS = 120;
/** How often a stretch that moves with the time is asked anew, ms: between these, and each five-hundredth of it. */
const LEAST_AGAIN_MS = 10_000;
const MOST_AGAIN_MS = 600_000;

export interface CurvesProps {
  names: readonly string[];
  metrics: readonly string[];
  details: ReadonlyMap<string, NodeDetail>;
  wanted: Last | Span;
  span: Span;
  /** Told since when there is anything, where all is shown. */
  onFirst(ms: number): void;
}

export function Curves({ names, metrics, details, wanted, span, onFirst }: CurvesProps) {
  const last = typeof wanted === "string" ? LAST[wanted] : null;
  const again = useAgain(last);
  // A stretch that moves is asked as it was when it was last asked anew: its end comes from the bus.
  const fixed = useMemo(() => ({ from: span.from, to: span.to, at: now.peek() }), last === null ? [span.from, span.to] : [last, again]);
  const where = metrics.length === 0 ? null : path("history", {
    nodes: names.join(","), metrics: metrics.join(","), from: Math.floor(fixed.from), to: Math.ceil(fixed.to), points: POINTS,
  });
  const { answer, error, busy } = useAnswer<HistoryAnswer>(where, REST_MS);
  const drawn = useRef<HTMLDivElement>(null);
  // What a screen reader, and who waits for the curves, is told.
  useEffect(() => drawn.current?.setAttribute("aria-busy", `${busy}`), [busy]);
  useEffect(() => {
    const first = wanted === "all" ? firstOf(answer) : null;
    if (first !== null) onFirst(first);
  }, [answer, wanted]);
  const askedAt = useMemo(() => fixed.at, [answer]);
  const lines = useLines(names, metrics, answer, askedAt);
  return (
    <>
      <div class="tools">
        <RangePicker wanted={wanted} span={span} />
        <Chooser names={names} metrics={metrics} details={details} />
      </div>
      {error === null ? null : <p class="notice" role="status">{word("noHistory")} {error}</p>}
      <div class="curves" ref={drawn} aria-busy="true">
        {metrics.map((metric) => {
          const detail = details.get(names[0] ?? "")?.metrics[metric];
          const unit = detail?.unit ?? answer?.series[0]?.metrics[metric]?.unit ?? "";
          return (
            <Curve key={metric} metric={metric} unit={unit} lines={lines.get(metric) ?? []} limits={limitLines(detail?.limits)} span={span}
              onLimit={moving(names[0], metric, unit, detail?.limits, span)}
              onSpan={show} onLive={() => showLast(typeof wanted === "string" ? wanted : nearest(span))} />
          );
        })}
      </div>
    </>
  );
}

/** Counts up whenever a stretch of this length is to be asked anew; it stands still for a fixed one. */
function useAgain(length: number | null): number {
  const [again, setAgain] = useState(0);
  useEffect(() => {
    if (length === null) return;
    const timer = setInterval(() => setAgain((count) => count + 1), Math.min(MOST_AGAIN_MS, Math.max(LEAST_AGAIN_MS, length / 500)));
    return () => clearInterval(timer);
  }, [length]);
  return again;
}

/** The lines of each metric. */
function useLines(names: readonly string[], metrics: readonly string[], answer: HistoryAnswer | null, asked_ms: number): ReadonlyMap<string, Line[]> {
  return useMemo(() => {
    const of = (metric: string) => names.map((name) => {
      const stored = answer?.series.find((one) => one.node === name);
      return joined(name, metric, stored, asked_ms, since(name, metric), 1000 * (nodes.value.get(name)?.interval_s ?? 0));
    });
    return new Map(metrics.map((metric) => [metric, of(metric)]));
  }, [names.join(), metrics.join(), answer, asked_ms, taken.value]);
}

/** When the first that is stored was taken, and a little before, that its curve does not begin at the edge. */
function firstOf(answer: HistoryAnswer | null): number | null {
  const firsts = (answer?.series ?? []).flatMap((one) => one.time_ms.slice(0, 1));
  if (answer === null || firsts.length === 0) return null;
  const first = Math.min(...firsts);
  return Math.max(answer.from_ms, first - (answer.to_ms - first) / 50);
}

/** The stretch that is shown now. What is all is as long as anything is stored. */
export function spanOf(wanted: Last | Span, first: number | null): Span {
  if (typeof wanted !== "string") return wanted;
  const { from, to } = upTo(now.value, LAST[wanted]);
  return wanted === "all" && first !== null ? { from: first, to } : { from, to };
}
