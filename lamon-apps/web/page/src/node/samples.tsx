// The samples of a stretch as a table, page by page, and as a file.
import { useEffect, useState } from "preact/hooks";
import { path, useAnswer } from "../ask";
import { amount, moment } from "../format";
import type { Span } from "../range";
import type { SamplesAnswer } from "../types";
import { word } from "../words";

/** The rows of a page. */
const COUNT = 50;

/** `wish` is what the address asks for: the stretch that it means moves on by itself, and its length is not always the same. */
export function Samples({ node, span, wish }: { node: string; span: Span; wish: string }) {
  // Where each page begins, as the server told it; the newest is first.
  const [pages, setPages] = useState<string[]>([]);
  const [of, setOf] = useState(span);
  const fixed = pages.length === 0 ? span : of;
  const [from, to] = [Math.floor(fixed.from), Math.ceil(fixed.to)];
  useEffect(() => setPages([]), [node, wish]);
  const { answer, error } = useAnswer<SamplesAnswer>(path("samples", { node, from, to, count: COUNT, next: pages.at(-1) }), 300);
  const older = (next: string) => {
    // Later pages are of the stretch as it was: the rows must not move on while somebody reads.
    if (pages.length === 0) setOf(span);
    setPages([...pages, next]);
  };
  const next = answer?.next ?? null;
  return (
    <section aria-label={word("samples")}>
      <h3>{word("samples")}</h3>
      {error === null ? null : <p class="notice">{error}</p>}
      {answer === null ? null : answer.rows.length === 0 ? <p class="empty">{word("nothingStored")}</p> : (
        <>
          <div class="across" tabIndex={0} role="region" aria-label={word("samples")}>
            <table class="samples">
              <thead><tr><th>{word("time")}</th>{answer.columns.map((name) => <th key={name}>{name}</th>)}</tr></thead>
              <tbody>
                {answer.rows.map(([time, ...values]) => (
                  <tr key={time}><td class="time">{moment(time ?? 0)}</td>{values.map((value, at) => <td key={at} class="number">{amount(value, answer.units[at] ?? "")}</td>)}</tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="pages">
            <button type="button" disabled={pages.length === 0} onClick={() => setPages(pages.slice(0, -1))}>{word("newer")}</button>
            <span>{word("page")} {pages.length + 1}</span>
            <button type="button" disabled={next === null} onClick={() => next === null || older(next)}>{word("older")}</button>
            <a href={path("samples.csv", { node, from, to })} download>{word("csv")}</a>
          </p>
        </>
      )}
    </section>
  );
}
