// What somebody is about to change, and what came of the last change.
import { signal } from "@preact/signals";
import type { Limits } from "../types";

export type Act =
  | { kind: "mute"; target: string }
  | { kind: "ack"; node: string; metric?: string | undefined }
  | { kind: "limits"; node: string; metric: string; unit: string; limits: Limits | undefined; from: number; to: number }
  | { kind: "override"; gate: string }
  | { kind: "approve"; node: string; key: string }
  | { kind: "revoke"; node: string }
  /** Nothing is left to say but yes. */
  | { kind: "sure"; title: string; path: string; body: object };

/** The dialog that is open. */
export const act = signal<Act | null>(null);

/** The sentence of the last change. */
export const did = signal("");

/** Counts changes: what shows them is asked anew. */
export const changes = signal(0);

/** How long the sentence of a change is shown, ms. */
const SHOWN_MS = 8_000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Tells what came of a change. */
export function tell(sentence: string): void {
  did.value = sentence;
  changes.value += 1;
  clearTimeout(timer);
  timer = setTimeout(() => (did.value = ""), SHOWN_MS);
}
