// Every node in a line, the worst first; in several columns where one has no room. Only the lines on the screen are made.
import { computed, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { age, amount, unitOf } from "./format";
import { connected, groupNames, nodes, now } from "./live";
import { Bar, Net, SHOWN_AS_BARS } from "./row";
import { address } from "./route";
import { Sign } from "./sign";
import type { Level, NodeRow } from "./types";
import { word } from "./words";

const RANK: Record<Level, number> = { error: 0, silent: 0, warning: 1, good: 3 };
/** Unwell, but somebody knows. */
const RANK_KNOWN = 2;
/** Lines above and below the screen that are made as well. */
const MARGIN = 12;
/** The height of a line, pixels; styles/page.css has the same. */
const LINE = 22;
/** The narrowest column, pixels, and the most of them. */
const COLUMN = 420;
const MOST_COLUMNS = 6;

const wanted = signal("");
const group = signal("");

const collator = new Intl.Collator(undefined, { numeric: true });
const shown = computed(() => {
  const text = wanted.value.trim().toLowerCase();
  return [...nodes.value.values()]
    .filter((node) => (group.value === "" || node.group === group.value) && node.name.toLowerCase().includes(text))
    .sort(
      (a, b) => rank(a) - rank(b) || collator.compare(a.group, b.group) || collator.compare(a.name, b.name),
    );
});

function rank(node: NodeRow): number {
  return node.level !== "good" && (node.muted || node.acknowledged) ? RANK_KNOWN : RANK[node.level];
}

/** What is worst of a node, in words: for how long it is silent, or which metric it is. */
function why(row: NodeRow): string {
  if (row.level === "silent") return row.heard_ms > 0 ? age(now.value - row.heard_ms) : word("never");
  const worst = row.worst;
  return worst === null ? "" : `${worst.metric} ${amount(worst.value, unitOf(worst.metric))}`;
}

/** Whether somebody knows, in words. */
function known(row: NodeRow): string {
  return row.muted ? word("muted") : row.acknowledged ? word("acknowledged") : "";
}

function Row({ row, top, left, width, wide }: { row: NodeRow; top: number; left: number; width: number; wide: boolean }) {
  const reason = why(row);
  const quiet = known(row);
  // The bars show their own, and a silent node's network is not what it is now.
  const silent = !wide && row.level === "silent";
  const beside = !wide && !silent && row.worst !== null && !SHOWN_AS_BARS.has(row.worst.metric);
  return (
    <a class={`row ${row.level} ${wide ? "wide" : ""} ${quiet === "" ? "" : "quiet"}`} href={address("node", row.name)} role="listitem"
      title={[row.name, row.group, quiet, reason].filter((text) => text !== "").join(" · ")}
      style={{ top: `${top}px`, left: `${left}%`, width: `${width}%` }}>
      <Sign level={row.level} />
      <span class="name">{row.name}{quiet === "" ? null : <small> {quiet}</small>}{beside ? <small> {reason}</small> : null}</span>
      {wide ? <span class="group">{row.group}</span> : null}
      <Bar row={row} metric="cpu_percent" />
      <Bar row={row} metric="memory_percent" />
      <Bar row={row} metric="disk_percent" />
      {silent ? <span class="why">{reason}</span> : <Net row={row} />}
      {wide ? <span class="why">{reason}</span> : null}
    </a>
  );
}

function Head({ wide, width }: { wide: boolean; width: number }) {
  return (
    <div class={`row head ${wide ? "wide" : ""}`} aria-hidden="true" style={{ width: `${width}%` }}>
      <span /><span class="name">{word("node")}</span>
      {wide ? <span class="group">{word("group")}</span> : null}
      <span>{word("cpu_percent")} %</span><span>{word("memory_percent")} %</span><span>{word("disk_percent")} %</span>
      <span>{word("net")}</span>
      {wide ? <span class="why">{word("why")}</span> : null}
    </div>
  );
}

export function Overview() {
  const list = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ above: 0, room: 800, width: 1000 });
  useEffect(() => {
    let frame = 0;
    const measure = () => {
      frame = 0;
      const place = list.current?.getBoundingClientRect();
      if (place === undefined) return;
      const start = place.top + scrollY;
      setView({ above: Math.max(0, -place.top), room: innerHeight - start, width: place.width });
    };
    const soon = () => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, []);
  const rows = shown.value;
  const most = Math.max(1, Math.min(MOST_COLUMNS, Math.floor(view.width / COLUMN)));
  const columns = Math.max(1, Math.min(most, Math.ceil((rows.length * LINE) / Math.max(LINE, view.room))));
  const wide = columns === 1 && view.width >= COLUMN + 200;
  const width = 100 / columns;
  const lines = Math.ceil(rows.length / columns);
  const first = Math.max(0, Math.floor(view.above / LINE) - MARGIN);
  const last = Math.ceil((view.above + innerHeight) / LINE) + MARGIN;
  return (
    <main>
      <div class="tools">
        <input type="search" aria-label={word("search")} placeholder={word("search")} value={wanted.value}
          onInput={(event) => (wanted.value = event.currentTarget.value)} />
        <select aria-label={word("group")} value={group.value} onChange={(event) => (group.value = event.currentTarget.value)}>
          <option value="">{word("all")}</option>
          {groupNames.value.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      </div>
      <div class="heads">{Array.from({ length: columns }, (_, at) => <Head key={at} wide={wide} width={width} />)}</div>
      {rows.length === 0 && connected.value ? <p class="empty">{word(nodes.value.size === 0 ? "none" : "noMatch")}</p> : null}
      <div class="list" role="list" ref={list} style={{ height: `${lines * LINE}px` }}>
        {rows.slice(first * columns, last * columns).map((row, index) => {
          const at = first * columns + index;
          return (
            <Row key={row.name} row={row} wide={wide} width={width}
              top={Math.floor(at / columns) * LINE} left={(at % columns) * width} />
          );
        })}
      </div>
    </main>
  );
}
