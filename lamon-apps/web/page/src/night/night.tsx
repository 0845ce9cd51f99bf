// A night on one page, to be read in the morning or printed: what went wrong, for how long, what was blocked, what is missing.
import { path, useAnswer } from "../ask";
import { age, moment } from "../format";
import { address } from "../route";
import { Sign } from "../sign";
import type { Completeness, Level, NightAnswer, Problem } from "../types";
import { word } from "../words";

const RANK: Record<Level, number> = { error: 0, silent: 1, warning: 2, good: 3 };
const DAY = 86_400_000;

export function Night({ date }: { date: string }) {
  const { answer, error } = useAnswer<NightAnswer>(path(`nights/${encodeURIComponent(date)}`));
  if (answer === null || answer.date !== date) return <main>{error === null ? null : <p class="notice" role="status">{error}</p>}</main>;
  const unwell = answer.nodes.filter((node) => node.problems.length > 0);
  const range = { from: `${answer.from_ms}`, to: `${answer.to_ms}` };
  return (
    <main class="night">
      <h2>{word("nightOf")} {answer.date} <small>{moment(answer.from_ms).slice(0, 16)} – {moment(answer.to_ms).slice(0, 16)}</small></h2>
      <p class="pages noprint">
        <a href={address("night", beside(date, -1))}>◀ {beside(date, -1)}</a> <a href={address("night", beside(date, 1))}>{beside(date, 1)} ▶</a>
        <a href={address("events", "", range)}>{answer.events} {word("events")}</a>
        <button type="button" onClick={() => print()}>{word("print")}</button>
      </p>
      <p class="summary">
        {word("completeness")} {part(answer.completeness)} · {unwell.length} {word("ofNodes")} {answer.nodes.length} {word("withProblems")} · {answer.blocked.length} {word("timesBlocked")} · {answer.events} {word("events")}
      </p>
      {answer.more ? <p class="notice">{word("more")}</p> : null}
      <h3>{word("blocked")}</h3>
      {answer.blocked.length === 0 ? <p class="fine">{word("nothingBlocked")}</p> : (
        <table>
          <thead><tr><th>{word("gate")}</th><th>{word("from")}</th><th>{word("duration")}</th><th>{word("text")}</th></tr></thead>
          <tbody>{answer.blocked.map((one, at) => <tr key={at}><td>{one.what}</td><td class="time">{when(one.from_ms)}</td><td>{lasted(one, answer)}</td><td>{one.text}</td></tr>)}</tbody>
        </table>
      )}
      <h3>{word("problems")}</h3>
      {unwell.length === 0 && answer.hub.length === 0 ? <p class="fine">{word("noProblems")}</p> : (
        <table class="problems">
          <thead><tr><th class="sign"><span class="unseen">{word("level")}</span></th><th>{word("node")}</th><th>{word("from")}</th><th>{word("duration")}</th><th>{word("text")}</th></tr></thead>
          <tbody>
            {answer.hub.map((problem, at) => <Line key={`hub ${at}`} problem={problem} night={answer} who={word("hub")} />)}
            {[...unwell].sort((a, b) => worst(a.problems) - worst(b.problems)).flatMap((node) =>
              node.problems.map((problem, at) => (
                <Line key={`${node.node} ${at}`} problem={problem} night={answer}
                  who={<a href={address("node", node.node, { ...range, ...(problem.metric === null ? {} : { metrics: problem.metric }) })}>{node.node}</a>} />
              )),
            )}
          </tbody>
        </table>
      )}
      <h3>{word("missing")}</h3>
      <Missing answer={answer} />
    </main>
  );
}

function Line({ problem, night, who }: { problem: Problem; night: NightAnswer; who: preact.ComponentChildren }) {
  return (
    <tr class={problem.level}>
      <td><Sign level={problem.level} /></td><td>{who}</td><td class="time">{when(problem.from_ms)}</td>
      <td>{problem.to_ms === problem.from_ms ? "" : lasted(problem, night)}</td><td>{problem.text}</td>
    </tr>
  );
}

/** The nodes of which less is stored than was to be expected. */
function Missing({ answer }: { answer: NightAnswer }) {
  const less = answer.nodes.filter((node) => node.completeness !== null && node.completeness.stored < node.completeness.expected);
  less.sort((a, b) => (a.completeness?.ratio ?? 0) - (b.completeness?.ratio ?? 0));
  if (less.length === 0) return <p class="fine">{word("nothingMissing")}</p>;
  return (
    <table>
      <thead><tr><th>{word("node")}</th><th>{word("group")}</th><th>{word("completeness")}</th><th>{word("samples")}</th></tr></thead>
      <tbody>
        {less.map((node) => (
          <tr key={node.node}>
            <td>{node.node}</td><td>{node.group ?? ""}</td><td class="number">{part(node.completeness)}</td>
            <td class="number">{node.completeness?.stored} / {node.completeness?.expected}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function worst(problems: readonly Problem[]): number {
  return Math.min(...problems.map((problem) => RANK[problem.level]));
}

function when(ms: number): string {
  return moment(ms).slice(5, 19);
}

/** For how long; of what was not over at the end, since when it was so until then. */
function lasted({ from_ms, to_ms }: { from_ms: number; to_ms: number | null }, night: NightAnswer): string {
  return to_ms === null ? `${age(Math.min(night.to_ms, Date.now()) - from_ms)}, ${word("notOver")}` : age(to_ms - from_ms);
}

function part(of: Completeness | null): string {
  if (of === null) return "–";
  // 99.999 % is not all.
  return of.stored >= of.expected ? "100 %" : `${Math.min(99.99, 100 * of.ratio).toFixed(2)} %`;
}

/** The date so many days later. */
function beside(date: string, days: number): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}
