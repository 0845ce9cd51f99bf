// Which events are wanted, as the address says.
import { nodes } from "../live";
import { route } from "../route";
import type { EventLine, Level } from "../types";

export interface Filter {
  node: string;
  group: string;
  level: string;
  kind: string;
  text: string;
}

export const LEVELS: readonly Level[] = ["good", "warning", "error", "silent"];

export function filter(): Filter {
  const said = (name: string) => route.value.params.get(name) ?? "";
  return { node: said("node"), group: said("group"), level: said("level"), kind: said("kind"), text: said("text") };
}

/** Whether an event is wanted: as the server filters what it reads from the archive. */
export function wants({ node, group, level, kind, text }: Filter, event: EventLine): boolean {
  return (node === "" || event.node === node)
    && (group === "" || (event.node !== null && nodes.value.get(event.node)?.group === group))
    && (level === "" || LEVELS.indexOf(event.level) >= LEVELS.indexOf(level as Level))
    && (kind === "" || event.kind === kind)
    && event.text.toLowerCase().includes(text.toLowerCase());
}
