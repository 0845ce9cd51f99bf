// What operators changed, and how gates stand; whoever may ends it here.
import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { path, useAnswer } from "../ask";
import { clock } from "../format";
import { address } from "../route";
import { may } from "../session";
import { act, changes } from "./asked";
import { Keys } from "./keys";
import { say, type Word } from "./words";

/** How often it is asked anew, ms. */
const AGAIN_MS = 10_000;

interface Made {
  who: string;
  made_ms: number;
  reason?: string;
}

interface Settings {
  mutes: (Made & { id: number; target: string; window: { between?: { until_ms: number }; weekly?: { until_ms?: number } } })[];
  acks: (Made & { node: string; metric?: string; until_ms?: number })[];
  overrides?: (Made & { gate: string; until_ms: number })[];
  limits?: (Made & { target: string; metric?: string; warning?: number | null; error?: number | null })[];
}

interface Gate {
  gate: string;
  position: string;
  text: string;
  why: string;
  nodes: string[];
  overridden?: Made & { until_ms: number };
}

/** How each gate's position is called. */
const POSITIONS: Record<string, Word> = { open: "open", closed: "closed", would_close: "would_close" };

export function SettingsView() {
  const [again, setAgain] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setAgain((count) => count + 1), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const count = again + changes.value;
  const { answer: settings, error } = useAnswer<Settings>(path("settings"), 0, count);
  const { answer: gates } = useAnswer<{ gates: Gate[] }>(path("gates"), 0, count);
  return (
    <main>
      {error === null ? null : <p class="notice" role="status">{error}</p>}
      {settings === null ? null : <Changed settings={settings} />}
      {gates === null || gates.gates.length === 0 ? null : <Gates gates={gates.gates} />}
      {may("admin") ? <Keys again={count} /> : null}
    </main>
  );
}

function Changed({ settings: { mutes, acks, limits = [] } }: { settings: Settings }) {
  return (
    <>
      <Table title="mutes" heads={["target", "until", "why", "who", "when"]} rows={mutes.map((mute) => [
        mute.target, untilOf(mute.window), mute.reason, mute.who, clock(mute.made_ms),
        <End what={`${say("mutes")} ${mute.id}: ${mute.target}`} path="mutes/end" body={{ mute: `${mute.id}` }} />,
      ])} />
      <Table title="acks" heads={["target", "metric", "why", "who", "when"]} rows={acks.map((ack) => [
        <a href={address("node", ack.node)}>{ack.node}</a>, ack.metric ?? say("whole"), ack.reason, ack.who, clock(ack.made_ms), null,
      ])} />
      <Table title="changed" heads={["target", "metric", "warning", "error", "why", "who", "when"]} rows={limits.map((limit) => [
        limit.target, limit.metric ?? "", limit.warning ?? "–", limit.error ?? "–", limit.reason ?? "", limit.who, clock(limit.made_ms),
        <End what={`${limit.target} ${limit.metric ?? ""}: ${say("really")}`} path="limits/reset"
          body={limit.metric === undefined ? { name: limit.target } : { node: limit.target, metric: limit.metric }} />,
      ])} />
    </>
  );
}

function untilOf({ between, weekly }: Settings["mutes"][number]["window"]): string {
  const until = between?.until_ms ?? weekly?.until_ms;
  return `${weekly === undefined ? "" : `${say("weekly")} `}${until === undefined ? say("forever") : clock(until)}`;
}

function Gates({ gates }: { gates: Gate[] }) {
  return (
    <Table title="gates" heads={["target", "position", "why", "who", "until"]} rows={gates.map((gate) => [
      <span title={gate.text}>{gate.gate}</span>, POSITIONS[gate.position] === undefined ? gate.position : say(POSITIONS[gate.position] ?? "open"),
      gate.overridden?.reason ?? gate.why, gate.overridden?.who ?? "", gate.overridden === undefined ? "" : clock(gate.overridden.until_ms),
      !may("operate") ? null : gate.overridden === undefined
        ? <button type="button" class="small" aria-label={`${say("overrideOf")} ${gate.gate}`} onClick={() => (act.value = { kind: "override", gate: gate.gate })}>{say("override")}</button>
        : <End what={`${say("release")} ${gate.gate}`} path="gates/release" body={{ gate: gate.gate }} />,
    ])} />
  );
}

function End({ what, path, body }: { what: string; path: string; body: object }) {
  if (!may("operate")) return null;
  const open = () => (act.value = { kind: "sure", title: what, path, body });
  return <button type="button" class="small" aria-label={`${say("end")} ${what}`} onClick={open}>{say("end")}</button>;
}

export function Table({ title, heads, rows }: { title: Word; heads: Word[]; rows: ComponentChildren[][] }) {
  return (
    <section aria-label={say(title)}>
      <h3>{say(title)}</h3>
      {rows.length === 0 ? <p class="empty">{say("nothing")}</p> : (
        <table>
          <thead><tr>{heads.map((head) => <th key={head}>{say(head)}</th>)}<th><span class="unseen">{say("end")}</span></th></tr></thead>
          <tbody>{rows.map((cells, row) => <tr key={row}>{cells.map((cell, column) => <td key={column}>{cell}</td>)}</tr>)}</tbody>
        </table>
      )}
    </section>
  );
}
