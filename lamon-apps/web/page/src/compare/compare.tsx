// One metric of all nodes of a group, over time: who is unlike the others?
import { useEffect, useMemo, useState } from "preact/hooks";
import { path, useAnswer } from "../ask";
import { groupNames, nodes, now } from "../live";
import { LAST, upTo, wanted } from "../range";
import { RangePicker } from "../rangepicker";
import { address, change, route } from "../route";
import type { HeatAnswer, NodeDetail } from "../types";
import { word } from "../words";
import { Heat } from "./heat";
import { Multiples } from "./multiples";
import { apartText, bounds, isOutlier, ordered, type Order } from "./rows";

/** How often a stretch that moves with the time is asked anew, ms. */
const AGAIN_MS = 60_000;
/** The columns of the map: two or three pixels each. */
const COLUMNS = 300;
const REST_MS = 150;

export function Compare() {
  const params = route.value.params;
  const metric = params.get("metric") ?? "cpu_percent";
  const group = params.get("group") ?? "";
  const order: Order = params.get("order") === "apart" ? "apart" : "name";
  const range = wanted("1d");
  const [minute, setMinute] = useState(now.peek());
  useEffect(() => {
    const timer = setInterval(() => setMinute(now.peek()), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const span = typeof range === "string" ? upTo(minute, LAST[range]) : range;
  const { answer, error, busy } = useAnswer<HeatAnswer>(
    path("heat", { metric, group, from: Math.floor(span.from), to: Math.ceil(span.to), columns: COLUMNS }), REST_MS,
  );
  const rows = useMemo(() => (answer === null ? [] : ordered(answer.nodes, order)), [answer, order]);
  const [low, high] = useMemo(() => (answer === null ? [0, 1] : bounds(answer)), [answer]);
  const stretch: Record<string, string> = typeof range === "string" ? { range } : { from: `${Math.round(range.from)}`, to: `${Math.round(range.to)}` };
  const link = (node: string) => address("node", node, { metrics: metric, ...stretch });
  const unlike = rows.filter(isOutlier);
  return (
    <main aria-busy={busy}>
      <div class="tools">
        <MetricPicker metric={metric} group={group} />
        <select aria-label={word("group")} value={group} onChange={(event) => change({ group: event.currentTarget.value })}>
          <option value="">{word("all")}</option>
          {groupNames.value.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
        <RangePicker wanted={range} span={span} all={false} />
        <label><input type="checkbox" checked={order === "apart"} onChange={() => change({ order: order === "apart" ? null : "apart" })} /> {word("unlikeFirst")}</label>
      </div>
      {error === null ? null : <p class="notice" role="status">{error}</p>}
      {answer === null ? null : rows.length === 0 ? <p class="empty">{word("none")}</p> : (
        <>
          <p class="found" role="status">
            {unlike.length === 0 ? word("noOutliers") : `▲ ${unlike.length} ${word("outliers")}: `}
            {unlike.slice(0, 12).map((row, place) => <span key={row.node}>{place === 0 ? "" : ", "}<a href={link(row.node)}>{row.node}</a> ({apartText(row)})</span>)}
            {unlike.length > 12 ? " …" : ""}
          </p>
          <Heat answer={answer} rows={rows} low={low} high={high} link={link} />
          <Multiples answer={answer} rows={rows} low={low} high={high} link={link} />
        </>
      )}
    </main>
  );
}

/** The metrics that a node of the group has. */
function MetricPicker({ metric, group }: { metric: string; group: string }) {
  const one = [...nodes.value.values()].find((node) => (group === "" || node.group === group) && node.level !== "silent")?.name;
  const { answer } = useAnswer<NodeDetail>(one === undefined ? null : path(`nodes/${encodeURIComponent(one)}`));
  const names = [...new Set([metric, ...Object.keys(answer?.metrics ?? {})])].sort();
  return (
    <select aria-label={word("metric")} value={metric} onChange={(event) => change({ metric: event.currentTarget.value })}>
      {names.map((name) => <option key={name} value={name}>{name}</option>)}
    </select>
  );
}
