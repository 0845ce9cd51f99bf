// A field whose word counts when it is finished: what else changes in the page does not take it away while it is typed.
import { useEffect, useState } from "preact/hooks";

export interface FieldProps {
  label: string;
  value: string;
  /** The names that are offered. */
  names: readonly string[];
  onDone(value: string): void;
}

export function Field({ label, value, names, onDone }: FieldProps) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const id = `names-${label}`;
  return (
    <>
      <input list={id} size={12} aria-label={label} placeholder={label} value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)} onChange={(event) => onDone(event.currentTarget.value.trim())} />
      <datalist id={id}>{names.map((name) => <option key={name} value={name} />)}</datalist>
    </>
  );
}
