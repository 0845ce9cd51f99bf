// The last nights, the newest first, each with its page.
import { path, useAnswer } from "../ask";
import { address } from "../route";
import type { NightLine } from "../types";

/** How many are listed: a season. */
const COUNT = 90;

export function Nights() {
  const { answer, error } = useAnswer<NightLine[]>(path("nights", { count: COUNT }));
  return (
    <main>
      {error === null ? null : <p class="notice" role="status">{error}</p>}
      <ul class="nights">
        {(answer ?? []).map((night) => (
          <li key={night.date}><a href={address("night", night.date)}>{night.date}</a></li>
        ))}
      </ul>
    </main>
  );
}
