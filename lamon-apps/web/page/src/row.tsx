// The bars of a line.
import { amount } from "./format";
import { Sign } from "./sign";
import type { Level, NodeRow } from "./types";
import { word } from "./words";

/** The metrics that have a bar. */
export const SHOWN_AS_BARS: ReadonlySet<string> = new Set(["cpu_percent", "memory_percent", "disk_percent", "nic_in", "nic_out"]);

/** What a full bar of the network is, in powers of ten of B/s: a gigabit each second. */
const FULL_NET = Math.log10(125e6);

function Filled({ level, part, text, label }: { level: Level; part: number; text: string; label: string }) {
  const said = level === "good" ? label : `${label} ${word(level)}`;
  return (
    <span class={`bar ${level}`} role="img" aria-label={said} title={said}>
      <i style={{ width: `${100 * Math.min(1, Math.max(0, part))}%` }} />
      <b>{level === "good" ? null : <Sign level={level} />}{text}</b>
    </span>
  );
}

export function Bar({ row, metric }: { row: NodeRow; metric: "cpu_percent" | "memory_percent" | "disk_percent" }) {
  const reading = row.metrics[metric];
  const value = reading?.value ?? null;
  const text = value === null ? "–" : `${Math.round(value)}`;
  return <Filled level={reading?.level ?? "good"} part={(value ?? 0) / 100} text={text} label={`${word(metric)} ${amount(value, "%")}`} />;
}

/** The larger of both directions, by powers of ten. */
export function Net({ row }: { row: NodeRow }) {
  const both = [row.metrics["nic_in"], row.metrics["nic_out"]];
  const [inward, outward] = both.map((reading) => reading?.value ?? null) as [number | null, number | null];
  const most = inward === null && outward === null ? null : Math.max(inward ?? 0, outward ?? 0);
  const level = (["error", "warning"] as const).find((one) => both.some((reading) => reading?.level === one)) ?? "good";
  const label = `${word("net")} ↓ ${amount(inward, "B/s")} ↑ ${amount(outward, "B/s")}`;
  return <Filled level={level} part={most !== null && most > 1 ? Math.log10(most) / FULL_NET : 0} text={amount(most, "B/s")} label={label} />;
}
