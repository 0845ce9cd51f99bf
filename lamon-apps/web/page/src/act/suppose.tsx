// A limit that is being dragged: how many events it would have made, and the question whether it shall be so.
import { signal } from "@preact/signals";
import { path, useAnswer } from "../ask";
import type { LimitMove, OnLimit } from "../curve/limits";
import { amount } from "../format";
import { may } from "../session";
import type { Limits } from "../types";
import { act } from "./asked";
import { wouldBe, type WouldBe } from "./limitfields";
import { say } from "./words";

/** How long a line must rest before it is asked what would have been, ms. */
const REST_MS = 150;

/** How long it is told after the last move of a line that was let go, ms. */
const SHOWN_MS = 4_000;

interface Supposed {
  node: string;
  metric: string;
  unit: string;
  from: number;
  to: number;
  move: LimitMove;
}

const supposed = signal<Supposed | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

/** What happens when somebody drags a limit of a metric; nothing where he may not. */
export function moving(node: string | undefined, metric: string, unit: string, limits: readonly Limits[] | undefined, span: { from: number; to: number }): OnLimit | undefined {
  if (node === undefined || !may("operate")) return undefined;
  return (move) => {
    clearTimeout(timer);
    const of = { node, metric, unit, from: span.from, to: span.to };
    const { limit, done } = move;
    // What holds on either side of zero is one limit.
    const value = limit.direction === "beyond" ? Math.abs(move.value) : move.value;
    if (!done) {
      supposed.value = { ...of, move: { ...move, value } };
      timer = setTimeout(() => (supposed.value = null), SHOWN_MS);
      return;
    }
    supposed.value = null;
    const now = limits?.find((one) => one.name === limit.name);
    act.value = { kind: "limits", ...of, limits: now === undefined ? undefined : { ...now, [limit.level]: value } };
  };
}

/** Tells what the line that is dragged would have made. */
export function Supposing() {
  const now = supposed.value;
  const { answer, error } = useAnswer<WouldBe>(now === null ? null : path("whatif", {
    node: now.node, metric: now.metric, name: now.move.limit.name, [now.move.limit.level]: now.move.value,
    from: Math.floor(now.from), to: Math.ceil(now.to),
  }), REST_MS);
  if (now === null) return null;
  const { limit, value } = now.move;
  return (
    <p class="toast" role="status">
      {now.node} {now.metric}: {say(limit.level)} {amount(value, now.unit)} {answer !== null ? wouldBe(answer) : error ?? "…"}
    </p>
  );
}
