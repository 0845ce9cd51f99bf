// A level's sign: its shape tells as much as its colour.
import type { Level } from "./types";
import { word } from "./words";

const SHAPES: Record<Level, string> = { good: "●", warning: "▲", error: "■", silent: "✕" };

export function Sign({ level }: { level: Level }) {
  return <span class={`sign ${level}`} role="img" aria-label={word(level)} title={word(level)}>{SHAPES[level]}</span>;
}
