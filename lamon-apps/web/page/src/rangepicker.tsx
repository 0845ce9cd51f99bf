// Which stretch of time: buttons for those that end now, fields for a free one, and steps for who has no mouse.
import { now } from "./live";
import { LAST, moved, show, showLast, zoomed, type Last, type Span } from "./range";
import { word } from "./words";

/** A moment as a field has it: the browser's own time, without a zone. */
function field(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export interface RangeProps {
  /** What the address says; null for none. */
  wanted: Last | Span | null;
  /** What that is now. */
  span: Span;
  /** Whether there are buttons that go earlier, later, closer and wider. */
  steps?: boolean;
  /** Whether all there is may be shown. */
  all?: boolean;
}

export function RangePicker({ wanted, span, steps = true, all = true }: RangeProps) {
  const set = (end: "from" | "to") => (event: { currentTarget: HTMLInputElement }) => {
    const ms = Date.parse(event.currentTarget.value);
    const next = { ...span, [end]: ms };
    if (ms > 0 && next.from < next.to) show(next);
  };
  return (
    <div class="range" role="group" aria-label={word("range")}>
      <span class="buttons">
        {(Object.keys(LAST) as Last[]).filter((name) => all || name !== "all").map((name) => (
          <button key={name} type="button" aria-pressed={wanted === name} onClick={() => showLast(name)}>{word(`last_${name}`)}</button>
        ))}
      </span>
      <span class="free">
        <input type="datetime-local" aria-label={word("from")} value={field(span.from)} onChange={set("from")} />
        <span aria-hidden="true">–</span>
        <input type="datetime-local" aria-label={word("to")} value={field(typeof wanted === "object" && wanted !== null ? span.to : now.value)} onChange={set("to")} />
      </span>
      {steps ? (
        <span class="buttons">
          <button type="button" aria-label={word("earlier")} title={word("earlier")} onClick={() => show(moved(span, -0.5))}>◀</button>
          <button type="button" aria-label={word("later")} title={word("later")} onClick={() => show(moved(span, 0.5))}>▶</button>
          <button type="button" aria-label={word("closer")} title={word("closer")} onClick={() => show(zoomed(span, 0.5))}>+</button>
          <button type="button" aria-label={word("wider")} title={word("wider")} onClick={() => show(zoomed(span, 2))}>−</button>
          {typeof wanted === "string" ? null : <button type="button" onClick={() => showLast(nearest(span))}>{word("live")}</button>}
        </span>
      ) : null}
    </div>
  );
}

/** The stretch up to now that is about as long. */
export function nearest({ from, to }: Span): Last {
  const names = (Object.keys(LAST) as Last[]).filter((name) => name !== "all");
  return names.find((name) => LAST[name] >= (to - from) * 0.7) ?? "1y";
}
