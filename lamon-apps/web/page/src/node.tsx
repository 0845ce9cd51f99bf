// All of one node.
import { useEffect, useState } from "preact/hooks";
import { age, amount, clock } from "./format";
import { connected, nodes, now } from "./live";
import { EventTable } from "./events";
import { Sign } from "./sign";
import type { NodeDetail } from "./types";
import { word } from "./words";

export function NodeView({ name }: { name: string }) {
  const [detail, setDetail] = useState<NodeDetail | null>(null);
  const row = nodes.value.get(name);
  useEffect(() => {
    const stop = new AbortController();
    fetch(`./api/v1/nodes/${encodeURIComponent(name)}`, { signal: stop.signal })
      .then(async (answer) => {
        if (answer.ok) setDetail((await answer.json()) as NodeDetail);
      })
      .catch(() => undefined);
    return () => stop.abort();
    // Its row is another object whenever anything was heard of it.
  }, [name, row]);
  if (detail === null || detail.name !== name) return <main>{row === undefined && connected.value ? <p class="empty">{word("gone")}</p> : null}</main>;
  const level = row?.level ?? detail.level;
  return (
    <main>
      <h2><Sign level={level} /> {name} <small>{detail.group} · {word(level)}{detail.muted ? ` · ${word("muted")}` : ""}{detail.acknowledged ? ` · ${word("acknowledged")}` : ""} · {word("heard")} {age(now.value - detail.heard_ms)} {word("ago")}</small></h2>
      <table class="metrics">
        <thead><tr><th class="sign"><span class="unseen">{word("level")}</span></th><th>{word("metric")}</th><th>{word("value")}</th><th>{word("taken")}</th><th>{word("since")}</th><th>{word("rule")}</th></tr></thead>
        <tbody>
          {Object.entries(detail.metrics).map(([metric, one]) => (
            <tr key={metric} class={one.unknown ? "old" : one.level}>
              <td><Sign level={one.level} /></td>
              <td>{metric}{one.unknown ? <small> {word("unknown")}</small> : null}{one.flapping ? <small> {word("flapping")}</small> : null}</td>
              <td class="number">{amount(one.value, one.unit)}</td>
              <td class="time">{clock(one.taken_ms)}</td>
              <td class="time">{one.since_ms > 0 ? clock(one.since_ms) : ""}</td>
              <td>{one.rule ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <EventTable node={name} />
    </main>
  );
}
