// Every metric of a node as it is now.
import { MetricActs } from "../act/buttons";
import { amount, clock } from "../format";
import { Sign } from "../sign";
import type { NodeDetail } from "../types";
import { word } from "../words";

export function Metrics({ detail }: { detail: NodeDetail }) {
  return (
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
            <td>{one.rule ?? ""} <MetricActs node={detail.name} metric={metric} detail={one} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
