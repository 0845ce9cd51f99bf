// The fields of limits, with how many events they would have made.
import { useState } from "preact/hooks";
import { path, useAnswer } from "../ask";
import type { Limits } from "../types";
import type { Act } from "./asked";
import { say } from "./words";

/** How long fields must rest before it is asked what would have been, ms. */
const REST_MS = 300;

/** How many events limits would have made, and those of now do. */
export interface WouldBe {
  events: number;
  now: number;
  tier: string;
}

type Open = Extract<Act, { kind: "limits" }>;

export function LimitFields({ open }: { open: Open }) {
  const { limits, unit } = open;
  const [warning, setWarning] = useState(shown(limits?.warning));
  const [error, setError] = useState(shown(limits?.error));
  const { answer } = useAnswer<WouldBe>(question(open, limits, warning, error), REST_MS);
  const field = (name: "warning" | "error", value: string, set: (value: string) => void) => (
    <label>{say(name)} {unit === "" ? "" : `(${unit}) `}
      <input name={name} value={value} maxLength={32} placeholder={say("none")} autocomplete="off"
        onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
  return (
    <>
      {field("warning", warning, setWarning)}
      {field("error", error, setError)}
      <p role="status">{answer === null ? "" : wouldBe(answer)}</p>
    </>
  );
}

/** What would have been, in words. */
export function wouldBe({ events, now }: WouldBe): string {
  return `${say("would")} ${events} ${say("events")} ${now}`;
}

function shown(limit: number | null | undefined): string {
  return limit === null || limit === undefined ? "" : `${limit}`;
}

/** The question what would have been; `null` where the fields have no numbers. */
function question({ node, metric, from, to }: Open, limits: Limits | undefined, warning: string, error: string): string | null {
  const [first, second] = [supposed(warning), supposed(error)];
  if (limits === undefined || first === null || second === null) return null;
  return path("whatif", { node, metric, name: limits.name, warning: first, error: second, from: Math.floor(from), to: Math.ceil(to) });
}

/** A limit as it is asked about; `null` when it is no bare number. */
function supposed(text: string): string | null {
  if (text.trim() === "") return "none";
  return Number.isFinite(Number(text)) ? text.trim() : null;
}

/** What is sent: a number, text with its unit, or null for no limit. */
export function limitBody({ node, metric }: Open, said: (name: string) => string): object {
  const limit = (text: string) => (text === "" ? null : Number.isFinite(Number(text)) ? Number(text) : text);
  return { node, metric, warning: limit(said("warning")), error: limit(said("error")) };
}
