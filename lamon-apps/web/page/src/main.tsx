// The page: which view is shown, and the line on top of all of them.
import { render } from "preact";
import { Acting } from "./act/dialog";
import { SettingsView } from "./act/settings";
import { say } from "./act/words";
import { Compare } from "./compare/compare";
import { Events } from "./events/events";
import { age } from "./format";
import { connected, nodes, now, site, start } from "./live";
import { LoginForm, Visitor } from "./login";
import { Night } from "./night/night";
import { Nights } from "./night/nights";
import { NodeView } from "./node/node";
import { Overview } from "./overview";
import { address, route } from "./route";
import { isShut } from "./session";
import { Sign } from "./sign";
import "./styles/page.css";
import "./styles/curves.css";
import "./styles/act.css";
import "./styles/compare.css";
import "./styles/night.css";
import { chinese, switchLanguage, word } from "./words";

/** What the line on top leads to. */
const VIEWS = [["", "nodes"], ["compare", "compare"], ["events", "events"], ["nights", "nightPages"]] as const;

/** Views that are below one of them. */
const ABOVE: Record<string, string> = { node: "", night: "nights" };

function Top() {
  const shown = ABOVE[route.value.view] ?? route.value.view;
  const told = site.value;
  const hub = told?.hub ?? null;
  const counts = { error: 0, silent: 0, warning: 0, good: 0 };
  for (const node of nodes.value.values()) counts[node.level] += 1;
  return (
    <header>
      <nav>
        {VIEWS.map(([view, name]) => <a key={view} href={address(view)} aria-current={shown === view ? "page" : undefined}>{word(name)}</a>)}
        <a href={address("operators")} aria-current={shown === "operators" ? "page" : undefined}>{say("operators")}</a>
        <span class="counts">
          {(Object.keys(counts) as (keyof typeof counts)[]).map((level) => <span key={level}><Sign level={level} /> {counts[level]}</span>)}
        </span>
        <Visitor />
        <button type="button" onClick={switchLanguage}>{word("language")}</button>
      </nav>
      <p role="status">
        {!connected.value ? <strong><Sign level="silent" /> {word("connecting")}</strong>
          : told !== null && !told.heard ? <strong><Sign level="silent" /> {word("away")} {hub === null ? "" : age(now.value - hub.time_ms)}</strong>
          : hub === null ? null
          : <span>
              <Sign level={hub.level} /> {hub.name} · {hub.agents} {word("agents")} · {hub.samples_rate.toFixed(1)} {word("rate")}
              {hub.completeness === null ? "" : ` · ${(100 * hub.completeness).toFixed(2)} % ${word("stored")}`}
              {hub.journal_backlog === 0 ? "" : ` · ${hub.journal_backlog} ${word("backlog")}`}
              {hub.journal === "ok" || hub.journal === "" ? "" : ` · ${word("journal")} ${hub.journal}`}
              {hub.database === "ok" || hub.database === "" ? "" : ` · ${word("database")} ${hub.database}`}
              {hub.phase === "night" || hub.phase === "day" ? ` · ${word(hub.phase)}` : ""}
              {hub.not_ready === "" ? "" : ` · ${word("notReady")} ${hub.not_ready}`}
              {hub.nights_left === null ? "" : ` · ${hub.nights_left.toFixed(1)} ${word("nightsLeft")}`}
              {hub.worst === "" || hub.not_ready.includes(hub.worst) ? "" : ` · ${hub.worst}`}
            </span>}
      </p>
    </header>
  );
}

/** What is below the line on top. */
function View() {
  const { view, of } = route.value;
  switch (view) {
    case "node": return <NodeView key={of} name={of} />;
    case "compare": return <Compare />;
    case "events": return <Events />;
    case "nights": return <Nights />;
    case "night": return <Night key={of} date={of} />;
    case "operators": return <SettingsView />;
    default: return <Overview />;
  }
}

function Page() {
  if (isShut()) {
    return (
      <>
        <header><nav><span class="counts" /><button type="button" onClick={switchLanguage}>{word("language")}</button></nav></header>
        <main><LoginForm /></main>
      </>
    );
  }
  return (
    <>
      <Top />
      <View />
      <Acting />
    </>
  );
}

document.documentElement.lang = chinese.value ? "zh-CN" : "en";
start();
const root = document.getElementById("page");
if (root !== null) render(<Page />, root);
