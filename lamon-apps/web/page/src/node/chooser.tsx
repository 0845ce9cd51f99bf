// Which metrics are drawn, and which nodes beside the one of the view.
import { nodes } from "../live";
import type { NodeDetail } from "../types";
import { word } from "../words";
import { MAX_METRICS, MAX_NODES, addNode, dropNode, toggleMetric } from "./view";

export function Chooser({ names, metrics, details }: { names: readonly string[]; metrics: readonly string[]; details: ReadonlyMap<string, NodeDetail> }) {
  const known = Object.keys(details.get(names[0] ?? "")?.metrics ?? {});
  const add = (event: { currentTarget: HTMLInputElement }) => {
    const name = event.currentTarget.value.trim();
    if (!nodes.value.has(name)) return;
    addNode(name);
    event.currentTarget.value = "";
  };
  return (
    <div class="chooser">
      <details>
        <summary>{word("metrics")} ({metrics.length})</summary>
        <fieldset>
          <legend class="unseen">{word("metrics")}</legend>
          {known.map((name) => (
            <label key={name}>
              <input type="checkbox" checked={metrics.includes(name)} disabled={!metrics.includes(name) && metrics.length >= MAX_METRICS}
                onChange={() => toggleMetric(name, metrics)} /> {name}
            </label>
          ))}
        </fieldset>
      </details>
      {names.slice(1).map((name) => (
        <button key={name} type="button" aria-label={`${word("without")} ${name}`} title={word("without")} onClick={() => dropNode(name)}>{name} ✕</button>
      ))}
      {names.length >= MAX_NODES ? null : (
        <>
          <input list="known-nodes" size={14} placeholder={word("with")} aria-label={word("with")} onChange={add} />
          <datalist id="known-nodes">{[...nodes.value.keys()].filter((name) => !names.includes(name)).map((name) => <option key={name} value={name} />)}</datalist>
        </>
      )}
    </div>
  );
}
