// Questions to lamon-web: an answer, or a sentence why there is none.
import { useEffect, useRef, useState } from "preact/hooks";
import { word } from "./words";

/** Why there is no answer. */
export class Refused extends Error {
  constructor(readonly status: number, sentence: string) {
    super(sentence);
  }
}

/** Where a question is asked. Those that are undefined or empty are left out. */
export function path(name: string, params: Record<string, string | number | undefined> = {}): string {
  const said = Object.entries(params).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(said.map(([key, value]) => [key, `${value}`])).toString();
  return `./api/v1/${name}${query === "" ? "" : `?${query}`}`;
}

/** Asks, and throws `Refused` with the server's sentence. */
export async function ask<T>(where: string, stop?: AbortSignal): Promise<T> {
  const answer = await fetch(where, stop === undefined ? {} : { signal: stop });
  if (answer.ok) return (await answer.json()) as T;
  const said = await answer.json().then((body: { error?: unknown }) => body.error, () => undefined);
  throw new Refused(answer.status, typeof said === "string" ? said : `${answer.status} ${answer.statusText}`);
}

export interface Asked<T> {
  /** The newest answer; that of the question before while a new one is asked. */
  answer: T | null;
  /** Why there is none, in words. */
  error: string | null;
  busy: boolean;
}

/** Asks whenever the question is another; while it changes again and again, once it rests. Null asks nothing. */
export function useAnswer<T>(where: string | null, restMs = 0, again = 0): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ answer: null, error: null, busy: where !== null });
  const changed = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const still = performance.now() - changed.current > 2 * restMs;
    changed.current = performance.now();
    if (where === null) {
      setAsked({ answer: null, error: null, busy: false });
      return;
    }
    const stop = new AbortController();
    setAsked((before) => (before.busy ? before : { ...before, busy: true }));
    const timer = setTimeout(() => {
      ask<T>(where, stop.signal)
        .then((answer) => setAsked({ answer, error: null, busy: false }))
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          const sentence = error instanceof Refused ? error.message : word("unreachable");
          setAsked((before) => ({ answer: error instanceof Refused ? null : before.answer, error: sentence, busy: false }));
        });
    }, still ? 0 : restMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [where, again]);
  return asked;
}
