// Buttons for whoever may operate; nobody else sees them.
import { now } from "../live";
import { may } from "../session";
import type { EventLine, MetricDetail } from "../types";
import { act } from "./asked";
import { say } from "./words";

/** How far back it is told what other limits would have made, where no time is shown: a day, ms. */
const BACK_MS = 86_400_000;

/** For a node: mute it, say that somebody knows. */
export function NodeActs({ name, unwell }: { name: string; unwell: boolean }) {
  if (!may("operate")) return null;
  return (
    <p class="acts">
      <button type="button" onClick={() => (act.value = { kind: "mute", target: name })}>{say("mute")}</button>{" "}
      {unwell ? <button type="button" onClick={() => (act.value = { kind: "ack", node: name })}>{say("acknowledge")}</button> : null}
    </p>
  );
}

/** For a metric of a node: set its limits, say that somebody knows. */
export function MetricActs({ node, metric, detail }: { node: string; metric: string; detail: MetricDetail }) {
  if (!may("operate")) return null;
  const limits = detail.limits?.[0];
  const open = () => {
    const to = now.peek();
    act.value = { kind: "limits", node, metric, unit: detail.unit, limits, from: to - BACK_MS, to };
  };
  return (
    <>
      {limits === undefined ? null : <button type="button" class="small" aria-label={`${say("limitsOf")} ${metric}`} onClick={open}>{say("limits")}</button>}{" "}
      {detail.level === "good" ? null : <button type="button" class="small" aria-label={`${say("ackOf")} ${metric}`} onClick={() => (act.value = { kind: "ack", node, metric })}>{say("acknowledge")}</button>}
    </>
  );
}

/** For what happened to a node. */
export function EventActs({ event }: { event: EventLine }) {
  const { node, metric } = event;
  if (node === null || event.level === "good" || !may("operate")) return null;
  return (
    <>
      <button type="button" class="small" aria-label={`${say("ackOf")} ${node} ${metric ?? ""}`} onClick={() => (act.value = { kind: "ack", node, metric: metric ?? undefined })}>{say("acknowledge")}</button>{" "}
      <button type="button" class="small" aria-label={`${say("muteOf")} ${node}`} onClick={() => (act.value = { kind: "mute", target: node })}>{say("mute")}</button>
    </>
  );
}
