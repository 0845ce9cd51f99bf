// The heat map: a line for each node, a column for each stretch of time. One pixel for each, made large by the browser.
import { useEffect, useRef, useState } from "preact/hooks";
import { times } from "../curve/axes";
import { amount, moment } from "../format";
import type { HeatAnswer } from "../types";
import { word } from "../words";
import { colour, gradient } from "./colours";
import { apartText, isOutlier, type Row } from "./rows";

/** The height of a line, pixels; styles/compare.css has the same. */
const LINE = 15;
/** The labels under the map. */
const LABELS = 6;

export interface HeatProps {
  answer: HeatAnswer;
  rows: readonly Row[];
  low: number;
  high: number;
  /** The address of a node, with what is looked at. */
  link(node: string): string;
}

export function Heat({ answer, rows, low, high, link }: HeatProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<{ row: number; column: number } | null>(null);
  const columns = answer.time_ms.length;
  useEffect(() => {
    if (canvas.current !== null) paint(canvas.current, rows, columns, low, high);
  }, [rows, columns, low, high]);
  const cell = (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    setAt({ row: within(y * rows.length, rows.length), column: within(x * columns, columns) });
  };
  const step = (event: KeyboardEvent) => {
    const [down, right] = STEPS[event.key] ?? [0, 0];
    if (event.key === "Enter" && at !== null) location.hash = link(rows[at.row]?.node ?? "");
    if (down === 0 && right === 0) return;
    event.preventDefault();
    const from = at ?? { row: 0, column: columns - 1 };
    setAt({ row: within(from.row + down, rows.length), column: within(from.column + right, columns) });
  };
  const outliers = rows.filter(isOutlier).length;
  const labels = Array.from({ length: LABELS }, (_, place) => answer.from_ms + ((place + 0.5) * (answer.to_ms - answer.from_ms)) / LABELS);
  return (
    <section aria-label={word("heat")}>
      <p class="scale">
        <span>{amount(low, answer.unit)}</span><i style={{ background: gradient }} /><span>{amount(high, answer.unit)}</span>
        <span class="none" /> {word("nothingStored")}
        <output class="at" aria-live="polite">{at === null ? "" : told(answer, rows, at)}</output>
      </p>
      <div class="heat">
        <ul style={{ height: `${rows.length * LINE}px` }}>
          {rows.map((row) => (
            <li key={row.node} class={isOutlier(row) ? "outlier" : ""}><a href={link(row.node)}>{isOutlier(row) ? "▲ " : ""}{row.node}</a></li>
          ))}
        </ul>
        <div class="map" style={{ height: `${rows.length * LINE}px` }}>
          <canvas ref={canvas} tabIndex={0} role="img" aria-label={`${word("heat")} ${answer.metric}: ${rows.length} ${word("nodes")}, ${outliers} ${word("outliers")}. ${word("heatKeys")}`}
            onMouseMove={cell} onMouseLeave={() => setAt(null)} onKeyDown={step} onBlur={() => setAt(null)}
            onClick={() => at !== null && (location.hash = link(rows[at.row]?.node ?? ""))} />
          {at === null ? null : <i class="here" style={{ top: `${at.row * LINE}px`, left: `${(100 * at.column) / columns}%`, width: `${100 / columns}%` }} />}
        </div>
        <div class="axis" aria-hidden="true">{times(labels, (answer.to_ms - answer.from_ms) / LABELS).map((text, place) => <span key={place}>{text}</span>)}</div>
      </div>
    </section>
  );
}

const STEPS: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function within(place: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(place)));
}

/** What is in a cell, in words. */
function told(answer: HeatAnswer, rows: readonly Row[], { row, column }: { row: number; column: number }): string {
  const one = rows[row];
  if (one === undefined) return "";
  const value = (number: number | null | undefined) => (number === null || number === undefined ? word("nothingStored") : amount(number, answer.unit));
  const apart = isOutlier(one) ? ` · ${word("apart")} ${apartText(one)}` : "";
  return `${one.node} · ${moment(answer.time_ms[column] ?? 0)} · ${value(one.mean[column])} · ${word("median")} ${value(answer.median[column])}${apart}`;
}

function paint(canvas: HTMLCanvasElement, rows: readonly Row[], columns: number, low: number, high: number): void {
  canvas.width = Math.max(1, columns);
  canvas.height = Math.max(1, rows.length);
  const context = canvas.getContext("2d");
  if (context === null || columns === 0 || rows.length === 0) return;
  const image = context.createImageData(columns, rows.length);
  rows.forEach(({ mean }, row) => {
    for (let column = 0; column < columns; column += 1) {
      const value = mean[column];
      // What is left out shows the hatching behind.
      if (value === null || value === undefined) continue;
      image.data.set([...colour((value - low) / (high - low)), 255], 4 * (row * columns + column));
    }
  });
  context.putImageData(image, 0, 0);
}
