// Every node in a line, the worst first; only the lines on the screen are made.
import { computed, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { amount, age, unitOf } from "./format";
import { nodes, now } from "./live";
import { Sign } from "./sign";
import type { Level, NodeRow } from "./types";
import { word } from "./words";

const RANK: Record<Level, number> = { error: 0, silent: 0, warning: 1, good: 2 };
/** Lines above and below the screen that are made as well. */
const MARGIN = 12;
/** What a full bar of the network is: a gigabit each second. */
const FULL_NET = Math.log10(125e6);

const wanted = signal("");
const group = signal("");

const groups = computed(() => [...new Set([...nodes.value.values()].map((node) => node.group))].sort());
const shown = computed(() => {
  const text = wanted.value.trim().toLowerCase();
  return [...nodes.value.values()]
    .filter((node) => (group.value === "" || node.group === group.value) && node.name.toLowerCase().includes(text))
    .sort(
      (a, b) =>
        RANK[a.level] - RANK[b.level] || a.group.localeCompare(b.group) || a.name.localeCompare(b.name, undefined, { numeric: true }),
    );
});

function Bar({ row, metric }: { row: NodeRow; metric: string }) {
  const reading = row.metrics[metric];
  const value = reading?.value ?? null;
  const label = `${word(metric as "cpu_percent")} ${amount(value, "%")}`;
  return (
    <span class={`bar ${reading?.level ?? "good"}`} role="img" aria-label={`${label} ${word(reading?.level ?? "good")}`} title={label}>
      <i style={{ width: `${Math.min(100, Math.max(0, value ?? 0))}%` }} />
      <b>{reading && reading.level !== "good" ? <Sign level={reading.level} /> : null}{value === null ? "–" : `${Math.round(value)}`}</b>
    </span>
  );
}

function Net({ row }: { row: NodeRow }) {
  const inward = row.metrics["nic_in"]?.value ?? null;
  const outward = row.metrics["nic_out"]?.value ?? null;
  const most = Math.max(inward ?? 0, outward ?? 0);
  const level = (["error", "warning"] as const).find((one) => row.metrics["nic_in"]?.level === one || row.metrics["nic_out"]?.level === one) ?? "good";
  const label = `${word("net")} ↓ ${amount(inward, "B/s")} ↑ ${amount(outward, "B/s")}`;
  return (
    <span class={`bar ${level}`} role="img" aria-label={label} title={label}>
      <i style={{ width: `${most > 1 ? Math.min(100, (100 * Math.log10(most)) / FULL_NET) : 0}%` }} />
      <b>{inward === null && outward === null ? "–" : amount(most, "B/s")}</b>
    </span>
  );
}

function Row({ row, at }: { row: NodeRow; at: number }) {
  const old = row.level === "silent";
  const worst = row.worst;
  return (
    <a class={`row ${row.level}`} href={`#/node/${encodeURIComponent(row.name)}`} role="listitem" style={{ top: `${at}px` }}>
      <Sign level={row.level} />
      <span class="name" title={row.name}>{row.name}</span>
      <span class="group">{row.group}</span>
      <Bar row={row} metric="cpu_percent" />
      <Bar row={row} metric="memory_percent" />
      <Bar row={row} metric="disk_percent" />
      <Net row={row} />
      <span class="why">
        {old
          ? row.heard_ms > 0 ? age(now.value - row.heard_ms) : word("never")
          : worst === null ? "" : `${worst.metric} ${amount(worst.value, unitOf(worst.metric))}`}
      </span>
    </a>
  );
}

export function Overview() {
  const list = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, line: 26 });
  useEffect(() => {
    const measure = () => {
      const element = list.current;
      if (element === null) return;
      const line = parseFloat(getComputedStyle(element).getPropertyValue("--line")) || 26;
      setView({ top: Math.max(0, -element.getBoundingClientRect().top), height: innerHeight, line });
    };
    measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, []);
  const rows = shown.value;
  const first = Math.max(0, Math.floor(view.top / view.line) - MARGIN);
  const last = Math.ceil((view.top + view.height) / view.line) + MARGIN;
  return (
    <main>
      <div class="tools">
        <input type="search" aria-label={word("search")} placeholder={word("search")} value={wanted.value}
          onInput={(event) => (wanted.value = event.currentTarget.value)} />
        <select aria-label={word("group")} value={group.value} onChange={(event) => (group.value = event.currentTarget.value)}>
          <option value="">{word("all")}</option>
          {groups.value.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      </div>
      <div class="row head" aria-hidden="true">
        <span /><span class="name">{word("node")}</span><span class="group">{word("group")}</span>
        <span>{word("cpu_percent")} %</span><span>{word("memory_percent")} %</span><span>{word("disk_percent")} %</span>
        <span>{word("net")}</span><span class="why">{word("why")}</span>
      </div>
      {rows.length === 0 ? <p class="empty">{word(nodes.value.size === 0 ? "none" : "noMatch")}</p> : null}
      <div class="list" role="list" ref={list} style={{ height: `${rows.length * view.line}px` }}>
        {rows.slice(first, last).map((row, index) => <Row key={row.name} row={row} at={(first + index) * view.line} />)}
      </div>
    </main>
  );
}
