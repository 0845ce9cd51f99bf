// Login and logout.
import { useEffect, useRef, useState } from "preact/hooks";
import { askMe, me, send, take, type Me } from "./session";
import { say } from "./words-login";

/** How often it is asked who is logged in: a session may end elsewhere. */
const ASK_MS = 60_000;

void askMe();
setInterval(() => void askMe(), ASK_MS);

/** The place in the header: who it is, or the way in. */
export function Visitor() {
  const [open, setOpen] = useState(false);
  const who = me.value;
  const user = who?.user ?? null;
  // Whoever logs out again is not asked at once who he is.
  useEffect(() => setOpen(false), [user]);
  if (who === null || (who.required && who.user === null)) return null;
  if (who.user !== null) {
    return (
      <span class="visitor">
        <span title={`${say("loggedIn")} ${who.user}: ${say(who.role ?? "view")}`}>{who.user}</span>{" "}
        <button type="button" onClick={() => void logOut()}>{say("logOut")}</button>
      </span>
    );
  }
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>{say("logIn")}</button>
      {open ? <LoginDialog close={() => setOpen(false)} /> : null}
    </>
  );
}

async function logOut(): Promise<void> {
  try {
    await send("logout", {});
  } catch {
    // Then he still is logged in, and sees it.
  }
  await askMe();
}

function LoginDialog({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-label={say("logIn")} onClose={close}>
      <LoginForm cancel={close} />
    </dialog>
  );
}

/** Name and password. */
export function LoginForm({ cancel }: { cancel?: () => void }) {
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const user = useRef<HTMLInputElement>(null);
  useEffect(() => user.current?.focus(), []);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setFailed(await logIn(String(fields.get("user") ?? ""), String(fields.get("password") ?? "")));
    setBusy(false);
  }
  return (
    <form class="login" onSubmit={(event) => void submit(event)}>
      {cancel === undefined ? <p>{say("required")}</p> : null}
      <label>{say("user")} <input name="user" ref={user} autocomplete="username" autocapitalize="none" spellcheck={false} maxLength={32} required /></label>
      <label>{say("password")} <input name="password" type="password" autocomplete="current-password" maxLength={512} required /></label>
      <p role="alert">{failed}</p>
      <p>
        <button type="submit" disabled={busy}>{say("logIn")}</button>{" "}
        {cancel === undefined ? null : <button type="button" onClick={cancel}>{say("cancel")}</button>}
      </p>
    </form>
  );
}

/** Logs in; what went wrong, in words. */
async function logIn(user: string, password: string): Promise<string> {
  try {
    const answer = await send("login", { user, password });
    if (answer.ok) {
      take((await answer.json()) as Me);
      return "";
    }
    if (answer.status === 401) return say("wrong");
    if (answer.status === 429) return `${say("wait")} ${answer.headers.get("Retry-After") ?? ""}`;
    return ((await answer.json()) as { error: string }).error;
  } catch {
    return say("away");
  }
}
