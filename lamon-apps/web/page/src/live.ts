// The live stream: holds what is known, and comes back by itself.
import { computed, effect, signal } from "@preact/signals";
import { askMe, isShut, me } from "./session";
import type { EventLine, NodeRow, Site } from "./types";

/** The events that are kept: what the server keeps. */
const MAX_EVENTS = 1000;

/** How long changes are gathered before they are shown, ms: at least, that one frame has all of a moment, and at most. */
const LEAST_SHOW_MS = 16;
const MOST_SHOW_MS = 250;
/** They are gathered for so many times as long as showing took: a page of many nodes leaves time for everything else. */
const REST = 3;

/** How long the stream may be mute before it is opened anew: the server speaks each 15 s. */
const MUTE_MS = 40_000;

export const site = signal<Site | null>(null);
export const nodes = signal<ReadonlyMap<string, NodeRow>>(new Map());
export const events = signal<readonly EventLine[]>([]);
export const connected = signal(false);
/** The clock of the server, once a second. */
export const now = signal(Date.now());

const collator = new Intl.Collator(undefined, { numeric: true });
/** The groups that the nodes are in. */
export const groupNames = computed(() => [...new Set([...nodes.value.values()].map((node) => node.group))].sort(collator.compare));

let offset = 0;
let source: EventSource | undefined;
let heard = Date.now();

/** Nodes that changed and are not shown yet; null for those that are gone. */
const changes = new Map<string, NodeRow | null>();

/** When changes may be shown again, by the page's own clock. */
let showAgain = 0;

/** Shows a change, with those of the moments after it: a thousand nodes would have the lines sorted anew all the time. */
function change(name: string, node: NodeRow | null): void {
  if (changes.size === 0) setTimeout(showChanges, Math.max(LEAST_SHOW_MS, showAgain - performance.now()));
  changes.set(name, node);
}

function showChanges(): void {
  if (changes.size === 0) return;
  const next = new Map(nodes.value);
  for (const [name, node] of changes) {
    if (node === null) next.delete(name);
    else next.set(name, node);
  }
  changes.clear();
  const began = performance.now();
  nodes.value = next;
  // A page that is not looked at draws nothing, and does not come to what follows.
  showAgain = began + MOST_SHOW_MS;
  // The lines are made when this task is done, and drawn before the next one of a timer.
  requestAnimationFrame(() => setTimeout(() => {
    const ended = performance.now();
    showAgain = ended + Math.min(MOST_SHOW_MS, REST * (ended - began));
  }));
}

function takeSite(told: Site): void {
  site.value = told;
  offset = told.now_ms - Date.now();
  now.value = told.now_ms;
}

function open(): void {
  source?.close();
  heard = Date.now();
  const stream = new EventSource("./api/v1/live");
  source = stream;
  const on = (name: string, take: (text: string) => void) =>
    stream.addEventListener(name, (message) => {
      heard = Date.now();
      take((message as MessageEvent<string>).data);
    });
  on("hello", (text) => {
    const hello = JSON.parse(text) as { site: Site; nodes: NodeRow[] };
    takeSite(hello.site);
    changes.clear();
    nodes.value = new Map(hello.nodes.map((node) => [node.name, node]));
    connected.value = true;
    void fetchEvents();
  });
  on("hub", (text) => takeSite(JSON.parse(text) as Site));
  on("nodes", (text) => {
    for (const node of JSON.parse(text) as NodeRow[]) change(node.name, node);
  });
  on("gone", (text) => {
    for (const name of JSON.parse(text) as string[]) change(name, null);
  });
  on("event", (text) => {
    const line = JSON.parse(text) as EventLine;
    meanwhile.push(line);
    events.value = [...events.value, line].slice(-MAX_EVENTS);
  });
  stream.onerror = () => {
    connected.value = false;
    // It may be the end of the session.
    void askMe();
    // A browser gives up for good when the answer was no stream.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => stream === source && open(), 3000);
  };
}

/** What came while the events before were asked for. */
let meanwhile: EventLine[] = [];

async function fetchEvents(): Promise<void> {
  meanwhile = [];
  try {
    const answer = await fetch("./api/v1/events");
    if (!answer.ok) return;
    const lines = (await answer.json()) as EventLine[];
    const known = new Set(lines.map((line) => JSON.stringify(line)));
    events.value = [...lines, ...meanwhile.filter((line) => !known.has(JSON.stringify(line)))].slice(-MAX_EVENTS);
  } catch {
    // The stream tells of the connection.
  }
}

/** Forgets everything, and asks for nothing: whoever looks is not logged in any more. */
function shut(): void {
  source?.close();
  source = undefined;
  connected.value = false;
  site.value = null;
  changes.clear();
  nodes.value = new Map();
  events.value = [];
}

export function start(): void {
  // Whoever logs in or out may see other things.
  let user: string | null | undefined;
  effect(() => {
    if (me.value === null || me.value.user === user) return;
    user = me.value.user;
    if (isShut()) shut();
    else open();
  });
  setInterval(() => {
    now.value = Date.now() + offset;
    if (source !== undefined && Date.now() - heard > MUTE_MS && source?.readyState !== EventSource.CONNECTING) open();
  }, 1000);
}
