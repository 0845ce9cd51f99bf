// Whose keys are believed, and who waits for that: for administrators.
import { path, useAnswer } from "../ask";
import { clock } from "../format";
import { act } from "./asked";
import { Table } from "./settings";
import { say } from "./words";

interface Answer {
  waiting: { node: string; key: string; from: string; os: string; since_ms: number; replaces?: boolean }[];
  approved: { node: string; key: string; who: string; made_ms: number }[];
}

export function Keys({ again }: { again: number }) {
  const { answer, error } = useAnswer<Answer>(path("keys"), 0, again);
  if (answer === null) return error === null ? null : <p class="notice" role="status">{error}</p>;
  return (
    <>
      <Table title="waiting" heads={["target", "key", "from", "when"]} rows={answer.waiting.map(({ node, key, from, os, since_ms, replaces }) => [
        <>{node}{replaces === true ? <strong> {say("replaces")}</strong> : null}</>, <code>{key}</code>, `${from} ${os}`, clock(since_ms),
        <button type="button" class="small" aria-label={`${say("approveOf")} ${node}`} onClick={() => (act.value = { kind: "approve", node, key })}>{say("approve")}</button>,
      ])} />
      <Table title="approved" heads={["target", "key", "who", "when"]} rows={answer.approved.map(({ node, key, who, made_ms }) => [
        node, <code>{key}</code>, who, clock(made_ms),
        <button type="button" class="small" aria-label={`${say("revokeOf")} ${node}`} onClick={() => (act.value = { kind: "revoke", node })}>{say("revoke")}</button>,
      ])} />
    </>
  );
}
