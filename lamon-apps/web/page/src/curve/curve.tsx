// The curve of one metric, of one node or several: mean with its band, gaps, limits.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { amount, moment } from "../format";
import type { Span } from "../range";
import { chinese, word } from "../words";
import { axes, valueRange } from "./axes";
import { listen, press, type Gestures } from "./gestures";
import { LimitLayer, type LimitLine, type OnLimit } from "./limits";
import { aligned, extent, newest, type Line } from "./lines";
import { dark, lineStyle } from "./style";

/** The height of a curve with its axes, pixels. */
const HEIGHT = 190;

export interface CurveProps {
  metric: string;
  unit: string;
  lines: readonly Line[];
  limits: readonly LimitLine[];
  span: Span;
  onSpan(span: Span): void;
  onLive(): void;
  /** Where somebody may move limits: told of every step, the last with `done`. */
  onLimit?: OnLimit | undefined;
  /** Told when what was given is drawn. */
  onDrawn?: () => void;
}

/** All curves show the moment under the mouse. */
const together = uPlot.sync("curves");

export function Curve(props: CurveProps) {
  const { metric, unit, lines, limits, span, onLimit } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<{ plot: uPlot; layer: LimitLayer } | null>(null);
  // What is drawn by uPlot's own calls reads the newest.
  const now = useRef(props);
  now.current = props;
  const banded = lines.some((line) => line.band !== null);
  const shape = `${lines.map((line) => line.node).join()} ${banded} ${unit} ${dark.value}`;

  useEffect(() => {
    const box = frame.current;
    if (box === null) return;
    const gestures: Gestures = { span: () => now.current.span, show: (next) => now.current.onSpan(next), live: () => now.current.onLive() };
    const made = new uPlot(options(box, now, banded), aligned(now.current.lines, banded), box);
    // Its frame says in words what it shows.
    made.ctx.canvas.setAttribute("aria-hidden", "true");
    const layer = new LimitLayer(made);
    plot.current = { plot: made, layer };
    (made.hooks.draw ??= []).push(() => layer.place());
    listen(made, box, gestures);
    layer.set(now.current.limits, unit, now.current.onLimit);
    const resized = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT }));
    resized.observe(box);
    return () => {
      resized.disconnect();
      together.unsub(made);
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.plot.batch(() => {
      plot.current?.plot.setData(aligned(lines, banded), false);
      plot.current?.plot.setScale("x", { min: span.from, max: span.to });
    });
    now.current.onDrawn?.();
  }, [lines, span.from, span.to, shape]);

  useEffect(() => {
    plot.current?.layer.set(limits, unit, onLimit);
    plot.current?.plot.redraw(false, true);
  }, [JSON.stringify(limits), unit, onLimit, shape, chinese.value]);

  const seen = extent(lines, span.from, span.to);
  const said = seen === null ? word("nothingStored") : `${word("lowest")} ${amount(seen[0], unit)}, ${word("highest")} ${amount(seen[1], unit)}`;
  return (
    <section class="curve">
      <h3>{metric} <small>{said}</small></h3>
      <Legend lines={lines} unit={unit} />
      <div class="plot" ref={frame} tabIndex={0} role="group" aria-label={`${metric}: ${said}. ${word("curveKeys")}`} title={undefined}
        onKeyDown={(event) => {
          if (press(event, { span: () => span, show: props.onSpan, live: props.onLive })) event.preventDefault();
        }} />
    </section>
  );
}

/** Who is which line, and what each last was; the curve puts the values under the mouse here. */
function Legend({ lines, unit }: { lines: readonly Line[]; unit: string }) {
  return (
    <p class="legend" aria-hidden={lines.length === 1}>
      {lines.map((line, place) => {
        const { colour, dash } = lineStyle(place);
        const last = newest(line);
        return (
          <span key={line.node}>
            <svg width="22" height="8" aria-hidden="true"><line x1="0" x2="22" y1="4" y2="4" stroke={colour} stroke-width="2" stroke-dasharray={dash.join(" ")} /></svg>
            {" "}{line.node} <b data-line={place}>{last === null ? "–" : amount(last.value, unit)}</b>
          </span>
        );
      })}
      <span class="at" />
    </p>
  );
}

/** Writes the values at the cursor into the legend. */
function tellCursor(plot: uPlot, frame: HTMLElement, { lines, unit }: CurveProps, banded: boolean): void {
  const legend = frame.parentElement?.querySelector(".legend");
  if (legend === null || legend === undefined) return;
  const at = plot.cursor.idx;
  const time = at === null || at === undefined ? undefined : plot.data[0][at];
  legend.querySelector(".at")?.replaceChildren(time === undefined ? "" : moment(time));
  lines.forEach((line, place) => {
    const column = plot.data[1 + place * (banded ? 3 : 1)];
    const value = at === null || at === undefined ? newest(line)?.value : valueAt(column, at);
    legend.querySelector(`[data-line="${place}"]`)?.replaceChildren(amount(value ?? null, unit));
  });
}

/** The value at a place, or, where this line has no point but another has, that of its point before. */
function valueAt(column: uPlot.AlignedData[number] | undefined, at: number): number | null | undefined {
  let place = at;
  while (place > 0 && column?.[place] === undefined) place -= 1;
  return column?.[place];
}

function options(frame: HTMLElement, now: { current: CurveProps }, banded: boolean): uPlot.Options {
  const { unit, lines, span } = now.current;
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  lines.forEach((_, place) => {
    const { colour, dash } = lineStyle(place);
    if (banded) bands.push({ series: [series.length + 2, series.length + 1], fill: `${colour}38` });
    series.push({ stroke: colour, width: 1.5, dash, points: { size: 4 } });
    if (banded) series.push({ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } });
  });
  return {
    width: frame.clientWidth, height: HEIGHT, ms: 1, series, bands, axes: axes(unit),
    legend: { show: false },
    // A zoom is told once, not by every curve.
    cursor: { sync: { key: together.key, scales: ["x", null], filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } }, drag: { x: true, y: false, setScale: false, dist: 4 }, y: false, points: { size: 7 } },
    scales: {
      x: { time: true, min: span.from, max: span.to },
      y: { range: () => valueRange(unit, extent(now.current.lines, now.current.span.from, now.current.span.to), now.current.limits.map((limit) => limit.value)) },
    },
    hooks: {
      setCursor: [(plot) => tellCursor(plot, frame, now.current, banded)],
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        if (width <= 0) return;
        const next = { from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") };
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        now.current.onSpan(next);
      }],
    },
  };
}
