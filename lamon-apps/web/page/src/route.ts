// The address: which view is shown, and what of it. All of a view is in it, so that it can be sent to somebody.
import { signal } from "@preact/signals";

export interface Route {
  /** The first word, empty for the overview. */
  view: string;
  /** What it is of: a node, a night; empty when the view is of everything. */
  of: string;
  params: URLSearchParams;
}

export const route = signal(parse(location.hash));
addEventListener("hashchange", () => {
  const before = route.value;
  route.value = parse(location.hash);
  if (before.view !== route.value.view || before.of !== route.value.of) scrollTo(0, 0);
});

function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", encoded = ""] = path.split("/");
  try {
    return { view, of: decodeURIComponent(encoded), params: new URLSearchParams(query) };
  } catch {
    return { view, of: "", params: new URLSearchParams() };
  }
}

/** The address of a view, for a link. */
export function address(view: string, of = "", params: Record<string, string> = {}): string {
  const query = readable(new URLSearchParams(params));
  return `#/${view}${of === "" ? "" : `/${encodeURIComponent(of)}`}${query === "" ? "" : `?${query}`}`;
}

/** Commas between names stay as they are. */
function readable(params: URLSearchParams): string {
  return params.toString().replaceAll("%2C", ",");
}

/** Changes what is shown of this view; null takes a parameter away. Going back leads to the view before. */
export function change(params: Record<string, string | null>): void {
  const next = new URLSearchParams(route.value.params);
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const { view, of } = route.value;
  history.replaceState(null, "", address(view, of, Object.fromEntries(next)));
  route.value = { view, of, params: next };
}

/** The names of a parameter that has several. */
export function list(name: string): string[] {
  return (route.value.params.get(name) ?? "").split(",").filter((one) => one !== "");
}
