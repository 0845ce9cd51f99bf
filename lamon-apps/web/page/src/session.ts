// Who is logged in, and how a change is sent.
import { signal } from "@preact/signals";

export type Role = "view" | "operate" | "admin";

export interface Me {
  user: string | null;
  role: Role | null;
  csrf: string | null;
  required: boolean;
}

const ROLES: readonly Role[] = ["view", "operate", "admin"];

/** How long it waits when nothing answers, ms. */
const RETRY_MS = 3000;

/** Who is logged in here; `null` before the first answer. */
export const me = signal<Me | null>(null);

/** Whether whoever is logged in may do as much. */
export function may(role: Role): boolean {
  const his = me.value?.role ?? null;
  return his !== null && ROLES.indexOf(his) >= ROLES.indexOf(role);
}

/** Whether nothing is shown before a login. */
export function isShut(): boolean {
  return me.value !== null && me.value.required && me.value.user === null;
}

export async function askMe(): Promise<void> {
  try {
    const answer = await fetch("./api/v1/me");
    if (answer.ok) take((await answer.json()) as Me);
  } catch {
    // The stream tells of the connection; before the first answer there is none.
    if (me.value === null) setTimeout(() => void askMe(), RETRY_MS);
  }
}

/** Takes up who it is; the same is no news. */
export function take(next: Me): void {
  if (JSON.stringify(next) !== JSON.stringify(me.value)) me.value = next;
}

/** Sends a change below /api/v1/. */
export async function send(path: string, body: object): Promise<Response> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  const token = me.value?.csrf ?? null;
  if (token !== null) headers["X-Lamon-Csrf"] = token;
  const answer = await fetch(`./api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  // The session may be over.
  if (answer.status === 401) void askMe();
  return answer;
}
