// What mouse, finger, wheel and keys do to the stretch of time that a curve shows.
import type uPlot from "uplot";
import { moved, zoomed, type Span } from "../range";

/** How much a turn of the wheel, or a key, zooms. */
const ZOOM = 1.4;
/** Which part of the stretch a key pans. */
const PAN = 0.2;

/** What a gesture does. */
export interface Gestures {
  span(): Span;
  show(span: Span): void;
  live(): void;
}

/** Keys of a curve that has the focus; whether it was one of them. */
export function press(event: KeyboardEvent, { span, show, live }: Gestures): boolean {
  switch (event.key) {
    case "ArrowLeft": show(moved(span(), event.shiftKey ? -1 : -PAN)); return true;
    case "ArrowRight": show(moved(span(), event.shiftKey ? 1 : PAN)); return true;
    case "+": case "=": show(zoomed(span(), 1 / ZOOM)); return true;
    case "-": show(zoomed(span(), ZOOM)); return true;
    case "Home": case "l": live(); return true;
    default: return false;
  }
}

/** Panning with shift or by a finger, the wheel, and a double click. Dragging to zoom is uPlot's own. */
export function listen(plot: uPlot, frame: HTMLElement, gestures: Gestures): void {
  const { over } = plot;
  const pan = (event: PointerEvent) => {
    const finger = event.pointerType === "touch";
    if (!finger && !event.shiftKey) return;
    if ((event.target as HTMLElement).closest(".movable") !== null) return;
    const began = gestures.span();
    const perPixel = (began.to - began.from) / over.clientWidth;
    const ended = new AbortController();
    over.setPointerCapture(event.pointerId);
    over.addEventListener("pointermove", (at) => {
      const by = (event.clientX - at.clientX) * perPixel;
      if (by !== 0) gestures.show({ from: began.from + by, to: began.to + by });
    }, { signal: ended.signal });
    for (const end of ["pointerup", "pointercancel"]) over.addEventListener(end, () => ended.abort(), { signal: ended.signal });
  };
  over.addEventListener("pointerdown", pan);
  // uPlot must not take the same for a zoom.
  frame.addEventListener("mousedown", (event) => {
    if (event.shiftKey) event.stopPropagation();
  }, { capture: true });
  // The page is scrolled by the wheel as well: a curve takes it once it has the focus, or with Ctrl.
  over.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !frame.contains(document.activeElement)) return;
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      gestures.show(moved(gestures.span(), Math.sign(event.deltaX || event.deltaY) * PAN));
      return;
    }
    const about = plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x");
    gestures.show(zoomed(gestures.span(), event.deltaY > 0 ? ZOOM : 1 / ZOOM, about));
  }, { passive: false });
  over.addEventListener("dblclick", (event) => {
    event.stopPropagation();
    gestures.live();
  }, { capture: true });
}
