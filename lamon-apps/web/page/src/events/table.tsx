// What happened, a line each.
import { EventActs } from "../act/buttons";
import { clock } from "../format";
import { address } from "../route";
import { Sign } from "../sign";
import type { EventLine } from "../types";
import { word } from "../words";

export function EventTable({ lines }: { lines: readonly EventLine[] }) {
  if (lines.length === 0) return <p class="empty">{word("noEvents")}</p>;
  return (
    <table class="events">
      <thead><tr><th class="sign"><span class="unseen">{word("level")}</span></th><th>{word("time")}</th><th>{word("node")}</th><th>{word("kind")}</th><th>{word("text")}</th></tr></thead>
      <tbody>
        {lines.map((event, index) => (
          <tr key={`${event.time_ms} ${index}`} class={event.level}>
            <td><Sign level={event.level} /></td>
            <td class="time">{clock(event.time_ms)}</td>
            <td>{event.node === null ? word("hub") : <a href={address("node", event.node)}>{event.node}</a>}</td>
            <td class="kind">{event.kind}</td>
            <td>{event.text} <EventActs event={event} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
