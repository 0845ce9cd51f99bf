// What happened, the newest first.
import { EventActs } from "./act/buttons";
import { clock } from "./format";
import { events } from "./live";
import { address } from "./route";
import { Sign } from "./sign";
import { word } from "./words";

/** The lines that are shown: more is for `lamon events`. */
const SHOWN = 200;

export function EventTable({ node }: { node?: string }) {
  const lines = events.value.filter((event) => node === undefined || event.node === node).slice(-SHOWN).reverse();
  if (lines.length === 0) return <p class="empty">{word("noEvents")}</p>;
  return (
    <table class="events">
      <thead><tr><th class="sign"><span class="unseen">{word("level")}</span></th><th>{word("time")}</th><th>{word("node")}</th><th>{word("text")}</th></tr></thead>
      <tbody>
        {lines.map((event, index) => (
          <tr key={`${event.time_ms} ${index}`} class={event.level}>
            <td><Sign level={event.level} /></td>
            <td class="time">{clock(event.time_ms)}</td>
            <td>{event.node === null ? word("hub") : <a href={address("node", event.node)}>{event.node}</a>}</td>
            <td>{event.text} <EventActs event={event} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
