// What came since the page was opened, of the nodes that were looked at: the live end of every curve.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, path } from "../ask";
import { nodes } from "../live";
import type { NodeDetail, NodeRow } from "../types";

export interface Points {
  time: number[];
  value: (number | null)[];
}

/** The points that are kept of a metric: a day at one in ten seconds. */
const MAX_POINTS = 8_640;
/** The nodes that are kept: as many as are drawn at once. */
const MAX_NODES = 16;

const kept = new Map<string, Map<string, Points>>();
/** Counts what was taken up. */
export const taken = signal(0);

/** What came of a metric of a node. */
export function since(node: string, metric: string): Points | undefined {
  return kept.get(node)?.get(metric);
}

function take(detail: NodeDetail): void {
  const metrics = kept.get(detail.name) ?? new Map<string, Points>();
  // Who was looked at last stands last.
  kept.delete(detail.name);
  kept.set(detail.name, metrics);
  for (const name of kept.keys()) if (kept.size > MAX_NODES) kept.delete(name);
  for (const [name, metric] of Object.entries(detail.metrics)) {
    const points = metrics.get(name) ?? { time: [], value: [] };
    metrics.set(name, points);
    if (metric.unknown || metric.taken_ms <= (points.time.at(-1) ?? 0)) continue;
    points.time.push(metric.taken_ms);
    points.value.push(metric.value);
    if (points.time.length > MAX_POINTS) {
      points.time.splice(0, MAX_POINTS / 10);
      points.value.splice(0, MAX_POINTS / 10);
    }
  }
  taken.value += 1;
}

/** All of these nodes, asked again whenever anything was heard of one; those that are not known are left out. */
export function useDetails(names: readonly string[]): ReadonlyMap<string, NodeDetail> {
  const [details, setDetails] = useState<ReadonlyMap<string, NodeDetail>>(new Map());
  const asked = useRef(new Map<string, NodeRow | undefined>());
  const stop = useRef(new AbortController());
  useEffect(() => {
    stop.current = new AbortController();
    return () => stop.current.abort();
  }, []);
  const rows = nodes.value;
  useEffect(() => {
    for (const name of names) {
      // A row is another object whenever anything was heard of its node.
      const row = rows.get(name);
      if (asked.current.has(name) && asked.current.get(name) === row) continue;
      asked.current.set(name, row);
      ask<NodeDetail>(path(`nodes/${encodeURIComponent(name)}`), stop.current.signal)
        .then((detail) => {
          take(detail);
          setDetails((before) => ((before.get(name)?.heard_ms ?? 0) > detail.heard_ms ? before : new Map(before).set(name, detail)));
        })
        // The stream tells of the connection, and the view of a node that is not known.
        .catch(() => undefined);
    }
  });
  return details;
}
