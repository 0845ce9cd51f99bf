// What the address says of a node's view: which metrics are drawn, and which nodes beside it.
import { change, list, route } from "../route";

/** As many curves, and nodes in a curve, as the server answers for at once. */
export const MAX_METRICS = 8;
export const MAX_NODES = 16;

/** What is drawn when nothing else is said. */
const USUAL = ["cpu_percent", "memory_percent", "disk_percent", "nic_in", "nic_out"];

/** The metrics that are drawn, of those that the node has; `null` while that is not known. */
export function metricsShown(known: readonly string[] | null): string[] {
  const said = list("metrics");
  const usual = said.length > 0 ? said : USUAL;
  const shown = known === null ? usual : usual.filter((name) => known.includes(name));
  if (said.length === 0 && shown.length === 0 && known !== null) return known.slice(0, USUAL.length);
  return shown.slice(0, MAX_METRICS);
}

/** Draws a metric, or no longer. */
export function toggleMetric(name: string, shown: readonly string[]): void {
  const next = shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name].slice(-MAX_METRICS);
  change({ metrics: next.join(",") });
}

/** The nodes that are drawn, the one of the view first. */
export function nodesShown(name: string): string[] {
  return [name, ...list("with").filter((one) => one !== name)].slice(0, MAX_NODES);
}

export function addNode(name: string): void {
  if (name !== route.value.of && !list("with").includes(name)) change({ with: [...list("with"), name].join(",") });
}

export function dropNode(name: string): void {
  change({ with: list("with").filter((one) => one !== name).join(",") });
}
