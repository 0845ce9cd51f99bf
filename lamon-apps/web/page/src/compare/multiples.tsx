// Small multiples: the same curve of every node, with what is usual among them behind it.
import type { HeatAnswer } from "../types";
import { amount } from "../format";
import { word } from "../words";
import { apartText, isOutlier, type Row } from "./rows";

/** The most that are drawn: of a thousand nobody looks at the last. */
const MAX_SHOWN = 120;
/** The size of each in its own units; the browser makes it as wide as there is room. */
const [WIDTH, HEIGHT] = [200, 40];

export interface MultiplesProps {
  answer: HeatAnswer;
  rows: readonly Row[];
  low: number;
  high: number;
  link(node: string): string;
}

export function Multiples({ answer, rows, low, high, link }: MultiplesProps) {
  const median = path(answer.median, low, high);
  return (
    <section aria-label={word("multiples")}>
      <h3>{word("multiples")} <small>{word("multiplesAre")}{rows.length > MAX_SHOWN ? ` · ${MAX_SHOWN} / ${rows.length}` : ""}</small></h3>
      <div class="multiples">
        {rows.slice(0, MAX_SHOWN).map((row) => {
          const known = row.mean.filter((value) => value !== null);
          const last = known.at(-1);
          const apart = isOutlier(row) ? `▲ ${apartText(row)}` : "";
          return (
            <a key={row.node} href={link(row.node)} class={apart === "" ? "multiple" : "multiple outlier"} title={apart === "" ? row.node : `${row.node} · ${word("apart")} ${apartText(row)}`}>
              <b>{row.node}</b> <small>{last === undefined ? word("nothingStored") : amount(last, answer.unit)}</small> <em>{apart}</em>
              <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
                <path class="median" d={median} />
                <path d={path(row.mean, low, high)} />
              </svg>
            </a>
          );
        })}
      </div>
    </section>
  );
}

/** The curve, broken where there is nothing. */
function path(values: readonly (number | null)[], low: number, high: number): string {
  let text = "";
  let broken = true;
  values.forEach((value, place) => {
    if (value === null) {
      broken = true;
      return;
    }
    const x = ((place + 0.5) / values.length) * WIDTH;
    const y = HEIGHT - 1 - Math.min(1, Math.max(0, (value - low) / (high - low))) * (HEIGHT - 2);
    text += `${broken ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    // A single value is a point.
    if (broken) text += "h.1";
    broken = false;
  });
  return text;
}
