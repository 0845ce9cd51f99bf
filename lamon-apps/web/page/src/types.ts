// The JSON of lamon-web, as /api/v1/openapi.json describes it.

export type Level = "good" | "warning" | "error" | "silent";

export interface Reading {
  value: number | null;
  level: Level;
}

export interface NodeRow {
  name: string;
  group: string;
  level: Level;
  heard_ms: number;
  interval_s: number;
  metrics: Record<string, Reading>;
  worst: { metric: string; value: number | null; level: Level } | null;
}

export interface HubState {
  name: string;
  version: string;
  time_ms: number;
  level: Level;
  worst: string;
  agents: number;
  samples_rate: number;
  completeness: number | null;
  journal: string;
  journal_backlog: number;
  database: string;
}

export interface Site {
  now_ms: number;
  heard: boolean;
  hub: HubState | null;
  groups: { name: string; level: Level; nodes: number }[];
}

export interface NodeDetail extends Omit<NodeRow, "metrics" | "worst"> {
  metrics: Record<string, Reading & { unit: string; taken_ms: number; rule: string | null }>;
}

export interface EventLine {
  time_ms: number;
  node: string | null;
  kind: string;
  level: Level;
  text: string;
}
