// The limits of a metric as dashed lines over its curve. Where somebody may set them they are dragged, or moved by keys.
import type uPlot from "uplot";
import { amount } from "../format";
import type { Limits } from "../types";
import { word } from "../words";

/** A limit that is drawn. */
export interface LimitLine {
  /** By what name operators change it. */
  name: string;
  level: "warning" | "error";
  direction: Limits["direction"];
  value: number;
}

/** A limit that is moved: where to, and whether that is where it shall stay. */
export interface LimitMove {
  limit: LimitLine;
  value: number;
  done: boolean;
}

export type OnLimit = (move: LimitMove) => void;

const SHAPES = { warning: "▲", error: "■" };

/** The height of a label with its line, pixels. */
const LABEL = 18;

/** The lines of a metric's limits. What holds on either side of zero has two lines. */
export function limitLines(limits: readonly Limits[] | undefined): LimitLine[] {
  return (limits ?? []).flatMap(({ name, direction, warning, error }) =>
    ([["warning", warning], ["error", error]] as const).flatMap(([level, value]) => {
      if (value === null) return [];
      const line = { name, level, direction, value };
      return direction === "beyond" && value !== 0 ? [line, { ...line, value: -value }] : [line];
    }),
  );
}

/** The lines in the page, over a curve. */
export class LimitLayer {
  private readonly layer = document.createElement("div");
  private readonly made = new Map<string, HTMLElement>();
  private limits: readonly LimitLine[] = [];
  private unit = "";
  private onLimit: OnLimit | undefined;
  /** The line that is held, and where it is. */
  private held: { key: string; value: number } | null = null;

  constructor(private readonly plot: uPlot) {
    this.layer.className = "limits";
    plot.over.append(this.layer);
  }

  set(limits: readonly LimitLine[], unit: string, onLimit: OnLimit | undefined): void {
    [this.limits, this.unit, this.onLimit] = [limits, unit, onLimit];
    const keys = new Set(limits.map(key));
    for (const [name, element] of this.made) {
      if (keys.has(name)) continue;
      element.remove();
      this.made.delete(name);
    }
    this.place();
  }

  /** Puts every line where the scale has it. */
  place(): void {
    const height = this.plot.over.clientHeight;
    const { min, max } = this.plot.scales["y"] ?? {};
    if (height === 0 || min === undefined || min === null || max === undefined || max === null) return;
    for (const limit of this.limits) {
      const value = this.held?.key === key(limit) ? this.held.value : limit.value;
      const element = this.made.get(key(limit)) ?? this.make(limit);
      const top = this.plot.valToPos(value, "y");
      // The label of what is worse lies beyond its line, if there is room, and that of what is less bad on this side.
      const beyond = (limit.level === "error") === (sign(limit) === ">");
      const under = top < LABEL || (!beyond && top < height - LABEL);
      const off = top < 0 ? "above" : top > height ? "below" : "";
      element.className = `limit ${limit.level} ${off} ${under ? "under" : ""} ${this.onLimit === undefined ? "" : "movable"}`;
      element.style.top = `${Math.min(height, Math.max(0, top))}px`;
      const text = `${SHAPES[limit.level]} ${word(limit.level)} ${sign(limit)} ${amount(value, this.unit)}${off === "above" ? " ↑" : off === "below" ? " ↓" : ""}`;
      if (element.textContent !== text) element.firstElementChild?.replaceChildren(text);
      this.name(element, limit, value, min, max);
    }
  }

  private name(element: HTMLElement, limit: LimitLine, value: number, min: number, max: number): void {
    const names: Record<string, string> = this.onLimit === undefined ? { role: "note" } : {
      role: "slider", tabindex: "0", "aria-orientation": "vertical", "aria-valuenow": `${value}`, "aria-valuetext": amount(value, this.unit),
      "aria-valuemin": `${min}`, "aria-valuemax": `${max}`,
    };
    for (const name of ["tabindex", "aria-valuenow", "aria-valuetext"]) if (!(name in names)) element.removeAttribute(name);
    names["aria-label"] = `${word("limit")} ${word(limit.level)} ${sign(limit)} ${amount(value, this.unit)}`;
    for (const [name, text] of Object.entries(names)) element.setAttribute(name, text);
  }

  private make(limit: LimitLine): HTMLElement {
    const element = document.createElement("div");
    element.append(document.createElement("span"));
    const id = key(limit);
    this.made.set(id, element);
    this.layer.append(element);
    element.addEventListener("pointerdown", (event) => this.grab(event, element, limit));
    element.addEventListener("keydown", (event) => this.press(event, id, limit));
    element.addEventListener("blur", () => this.release());
    return element;
  }

  private grab(event: PointerEvent, element: HTMLElement, limit: LimitLine): void {
    if (this.onLimit === undefined || event.button !== 0) return;
    // The curve below must not take it for a zoom.
    event.stopPropagation();
    event.preventDefault();
    element.focus();
    element.setPointerCapture(event.pointerId);
    const box = this.plot.over.getBoundingClientRect();
    const ended = new AbortController();
    const move = (at: PointerEvent) => this.move(limit, this.plot.posToVal(at.clientY - box.top, "y"), false);
    element.addEventListener("pointermove", move, { signal: ended.signal });
    element.addEventListener("pointerup", (at) => {
      ended.abort();
      this.move(limit, this.plot.posToVal(at.clientY - box.top, "y"), true);
    }, { signal: ended.signal });
    element.addEventListener("pointercancel", () => {
      ended.abort();
      this.release();
    }, { signal: ended.signal });
  }

  private press(event: KeyboardEvent, id: string, limit: LimitLine): void {
    if (this.onLimit === undefined) return;
    const { min, max } = this.plot.scales["y"] ?? {};
    const step = (((max ?? 100) - (min ?? 0)) / 100) * (event.shiftKey ? 10 : 1);
    const value = this.held?.key === id ? this.held.value : limit.value;
    if (event.key === "ArrowUp") this.move(limit, value + step, false);
    else if (event.key === "ArrowDown") this.move(limit, value - step, false);
    else if (event.key === "Enter" && this.held !== null) this.move(limit, value, true);
    else if (event.key === "Escape") this.release();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Lets go: the line is where its limit is. */
  private release(): void {
    this.held = null;
    this.place();
  }

  private move(limit: LimitLine, raw: number, done: boolean): void {
    const value = rounded(raw, this.plot.scales["y"]);
    this.held = done ? null : { key: key(limit), value };
    this.place();
    this.onLimit?.({ limit, value, done });
  }
}

function key({ name, level, value }: LimitLine): string {
  return `${name} ${level} ${value < 0 ? "-" : "+"}`;
}

function sign({ direction, value }: LimitLine): string {
  return direction === "below" || (direction === "beyond" && value < 0) ? "<" : ">";
}

/** No finer than a hundredth of what is seen, and short to say. */
function rounded(value: number, scale: uPlot.Scale | undefined): number {
  const span = (scale?.max ?? 100) - (scale?.min ?? 0);
  const unit = 10 ** Math.floor(Math.log10(span / 100 || 1));
  return Number((Math.round(value / unit) * unit).toPrecision(6));
}
