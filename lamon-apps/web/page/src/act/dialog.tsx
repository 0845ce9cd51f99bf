// The dialogs by which something is changed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { may, send } from "../session";
import { act, did, tell, type Act } from "./asked";
import { LimitFields, limitBody } from "./limitfields";
import { Supposing } from "./suppose";
import { say, type Word } from "./words";

/** For how long something may be muted or overridden, hours. */
const HOURS = [1, 4, 12, 24, 72, 168];

/** The longest note, characters. */
const MAX_NOTE = 200;

/** What says yes where it is not "set". */
const YES: Partial<Record<Act["kind"], Word>> = { sure: "end", approve: "approveOf", revoke: "end" };

/** What is open, and what came of the last change. Stands once in the page. */
export function Acting() {
  const open = act.value;
  return (
    <>
      <p class={did.value === "" ? "unseen" : "toast"} role="status">{did.value}</p>
      <Supposing />
      {open === null || !may("operate") ? null : <Dialog key={JSON.stringify(open)} open={open} />}
    </>
  );
}

function Dialog({ open }: { open: Act }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const title = titleOf(open);
  return (
    <dialog ref={dialog} aria-label={title} onClose={() => (act.value = null)}>
      <Form open={open} title={title} />
    </dialog>
  );
}

function titleOf(open: Act): string {
  switch (open.kind) {
    case "mute": return `${say("muteOf")} ${open.target}`;
    case "ack": return `${say("ackOf")} ${open.node} ${open.metric ?? ""}`;
    case "limits": return `${say("limitsOf")} ${open.node} ${open.metric}`;
    case "override": return `${say("overrideOf")} ${open.gate}`;
    case "approve": return `${say("approveOf")} ${open.node}`;
    case "revoke": return `${say("revokeOf")} ${open.node}`;
    case "sure": return open.title;
  }
}

function Form({ open, title }: { open: Act; title: string }) {
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  async function change(path: string, body: object): Promise<void> {
    setBusy(true);
    setFailed(await changed(path, body));
    setBusy(false);
  }
  function submit(event: Event): void {
    event.preventDefault();
    const [path, body] = asked(open, new FormData(event.currentTarget as HTMLFormElement));
    void change(path, body);
  }
  return (
    <form class="login act" onSubmit={submit}>
      <h3>{title}</h3>
      <Fields open={open} />
      <p role="alert">{failed}</p>
      <p>
        <button type="submit" disabled={busy}>{YES[open.kind] === undefined ? say("set") : say(YES[open.kind] ?? "set")}</button>{" "}
        {open.kind === "limits" ? <><button type="button" disabled={busy} onClick={() => void change("limits/reset", { node: open.node, metric: open.metric })}>{say("reset")}</button>{" "}</> : null}
        <button type="button" onClick={() => (act.value = null)}>{say("cancel")}</button>
      </p>
    </form>
  );
}

function Fields({ open }: { open: Act }): ComponentChildren {
  switch (open.kind) {
    case "mute": return <><p>{say("muteHelp")}</p><HowLong /><Note required /></>;
    case "ack": return <><p>{say("ackHelp")}</p><Note required /></>;
    case "override": return <><p>{say("overrideHelp")}</p><HowLong /><Note required /></>;
    case "limits": return <><LimitFields open={open} /><Note required={false} /></>;
    case "approve": return <p>{say("approveHelp")} <code>{open.key}</code></p>;
    case "revoke": return <Note required />;
    case "sure": return null;
  }
}

function Note({ required }: { required: boolean }) {
  return <label>{say("note")} <input name="reason" maxLength={MAX_NOTE} required={required} autocomplete="off" /></label>;
}

function HowLong() {
  return (
    <label>{say("forHow")}{" "}
      <select name="hours">
        {HOURS.map((hours) => <option key={hours} value={hours}>{hours < 24 ? `${hours} ${say("hours")}` : `${hours / 24} ${say("days")}`}</option>)}
      </select>
    </label>
  );
}

/** Where a change is sent, and what. */
function asked(open: Act, fields: FormData): [string, object] {
  const said = (name: string) => String(fields.get(name) ?? "").trim();
  const [reason, seconds] = [said("reason"), Number(said("hours")) * 3600];
  switch (open.kind) {
    case "mute": return ["mutes", { target: open.target, seconds, reason }];
    case "ack": return ["acks", { node: open.node, ...(open.metric === undefined ? {} : { metric: open.metric }), reason }];
    case "override": return ["gates/override", { gate: open.gate, seconds, reason }];
    case "limits": return ["limits", { ...limitBody(open, said), ...(reason === "" ? {} : { reason }) }];
    case "approve": return ["keys/approve", { node: open.node, key: open.key }];
    case "revoke": return ["keys/revoke", { target: open.node, reason }];
    case "sure": return [open.path, open.body];
  }
}

/** Sends a change, and closes the dialog when it was made; why not, in words. */
async function changed(path: string, body: object): Promise<string> {
  try {
    const answer = await send(path, body);
    const said = (await answer.json()) as { text?: string; error?: string };
    if (!answer.ok) return said.error ?? `${answer.status}`;
    tell(said.text ?? "");
    act.value = null;
    return "";
  } catch {
    return say("away");
  }
}
