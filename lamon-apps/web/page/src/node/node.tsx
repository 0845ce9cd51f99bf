// All of one node: its curves, what it is now, its disks, its samples, and what happened to it.
import { useState } from "preact/hooks";
import { NodeActs } from "../act/buttons";
import { useDetails } from "../curve/since";
import { EventTable } from "../events/table";
import { age } from "../format";
import { connected, events, nodes, now } from "../live";
import { Curves, spanOf } from "./curves";
import { Disks } from "./disks";
import { Metrics } from "./metrics";
import { Samples } from "./samples";
import { metricsShown, nodesShown } from "./view";
import { wanted } from "../range";
import { address } from "../route";
import { Sign } from "../sign";
import { word } from "../words";

/** The events that are shown: the view of events has them all. */
const MAX_EVENTS = 50;
/** How often a table of a stretch that moves is asked anew, ms. */
const TABLE_MS = 10_000;

export function NodeView({ name }: { name: string }) {
  const names = nodesShown(name);
  const details = useDetails(names);
  const [first, setFirst] = useState<number | null>(null);
  const row = nodes.value.get(name);
  const detail = details.get(name);
  if (detail === undefined) return <main>{row === undefined && connected.value ? <p class="empty">{word("gone")}</p> : null}</main>;
  const level = row?.level ?? detail.level;
  const range = wanted("1h");
  const span = spanOf(range, first);
  // A table need not move on with every sample.
  const table = typeof range === "string" ? { from: span.from, to: Math.ceil(span.to / TABLE_MS) * TABLE_MS } : span;
  const metrics = metricsShown(Object.keys(detail.metrics));
  return (
    <main>
      <h2><Sign level={level} /> {name} <small>{detail.group} · {word(level)}{detail.muted ? ` · ${word("muted")}` : ""}{detail.acknowledged ? ` · ${word("acknowledged")}` : ""} · {word("heard")} {age(now.value - detail.heard_ms)} {word("ago")}</small></h2>
      <NodeActs name={name} unwell={level !== "good"} />
      <Curves names={names} metrics={metrics} details={details} wanted={range} span={span} onFirst={(ms) => setFirst((before) => (before === null || ms < before || ms > before + (span.to - before) / 10 ? ms : before))} />
      <h3>{word("now")}</h3>
      <Metrics detail={detail} />
      <Disks node={name} />
      <Samples node={name} span={table} wish={typeof range === "string" ? range : `${range.from} ${range.to}`} />
      <h3>{word("events")} <small><a href={address("events", "", { node: name, range: "1m" })}>{word("older")}</a></small></h3>
      <EventTable lines={events.value.filter((event) => event.node === name).slice(-MAX_EVENTS).reverse()} />
    </main>
  );
}
