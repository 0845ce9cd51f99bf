// What happened: the last of it live, and what was before from the archive, page by page; of what is asked for alone.
import { useEffect, useState } from "preact/hooks";
import { path, useAnswer } from "../ask";
import { Field } from "../field";
import { events, groupNames, nodes, now } from "../live";
import { LAST, upTo, wanted, type Span } from "../range";
import { RangePicker } from "../rangepicker";
import { change, route } from "../route";
import type { EventPage } from "../types";
import { word } from "../words";
import { EventTable } from "./table";
import { LEVELS, filter, wants, type Filter } from "./filter";

/** The lines of a page. */
const COUNT = 200;
/** For how long a word must stay the same before it is asked, ms. */
const REST_MS = 300;

export function Events() {
  const { params } = route.value;
  const range = params.has("range") || params.has("from") ? wanted("1d") : null;
  const wish = filter();
  // What is asked stays the same while somebody reads: it ends when it was chosen.
  const [chosen, setChosen] = useState(now.peek());
  useEffect(() => setChosen(now.peek()), [typeof range === "string" ? range : ""]);
  const span = range === null ? upTo(now.value, LAST["1d"]) : typeof range === "string" ? upTo(chosen, LAST[range]) : range;
  return (
    <main>
      <div class="tools">
        <button type="button" aria-pressed={range === null} onClick={() => change({ range: null, from: null, to: null })}>{word("latest")}</button>
        <RangePicker wanted={range} span={span} steps={false} />
      </div>
      <Filters wish={wish} />
      {range === null ? <EventTable lines={events.value.filter((event) => wants(wish, event)).slice(-COUNT).reverse()} /> : <Older wish={wish} span={span} />}
    </main>
  );
}

function Filters({ wish }: { wish: Filter }) {
  const set = (name: keyof Filter) => (event: { currentTarget: HTMLInputElement | HTMLSelectElement }) => change({ [name]: event.currentTarget.value });
  const kinds = [...new Set(events.value.map((event) => event.kind))].sort();
  return (
    <div class="tools" role="search" aria-label={word("filter")}>
      <select aria-label={word("level")} value={wish.level} onChange={set("level")}>
        <option value="">{word("allLevels")}</option>
        {LEVELS.slice(1).map((level) => <option key={level} value={level}>{word(level)}{level === "silent" ? "" : ` ${word("orWorse")}`}</option>)}
      </select>
      <select aria-label={word("group")} value={wish.group} onChange={set("group")}>
        <option value="">{word("all")}</option>
        {groupNames.value.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
      <Field label={word("node")} value={wish.node} names={[...nodes.value.keys()]} onDone={(node) => change({ node })} />
      <Field label={word("kind")} value={wish.kind} names={kinds} onDone={(kind) => change({ kind })} />
      <input type="search" aria-label={word("text")} placeholder={word("text")} maxLength={60} value={wish.text} onInput={set("text")} />
      {Object.values(wish).some((value) => value !== "") ? (
        <button type="button" onClick={() => change({ node: null, group: null, level: null, kind: null, text: null })}>{word("everything")}</button>
      ) : null}
    </div>
  );
}

/** Pages from the archive. */
function Older({ wish, span }: { wish: Filter; span: Span }) {
  const [pages, setPages] = useState<string[]>([]);
  const asked = { ...wish, from: Math.floor(span.from), to: Math.ceil(span.to), count: COUNT };
  useEffect(() => setPages([]), [JSON.stringify(asked)]);
  const { answer, error, busy } = useAnswer<EventPage>(path("events", { ...asked, next: pages.at(-1) }), REST_MS);
  const next = answer?.next ?? null;
  const turn = (to: string[]) => {
    setPages(to);
    scrollTo(0, 0);
  };
  return (
    <section aria-busy={busy} aria-label={word("events")}>
      {error === null ? null : <p class="notice" role="status">{error}</p>}
      {answer === null ? null : (
        <>
          <EventTable lines={answer.events} />
          {pages.length === 0 && next === null ? null : (
            <p class="pages">
              <button type="button" disabled={pages.length === 0} onClick={() => turn(pages.slice(0, -1))}>{word("newer")}</button>
              <span>{word("page")} {pages.length + 1}</span>
              <button type="button" disabled={next === null} onClick={() => next === null || turn([...pages, next])}>{word("older")}</button>
            </p>
          )}
        </>
      )}
    </section>
  );
}
