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
  muted: boolean;
  acknowledged: boolean;
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
  phase: string;
  not_ready: string;
  nights_left: number | null;
}

export interface Site {
  now_ms: number;
  heard: boolean;
  hub: HubState | null;
  groups: { name: string; level: Level; nodes: number }[];
}

export interface MetricDetail extends Reading {
  unit: string;
  taken_ms: number;
  since_ms: number;
  unknown: boolean;
  flapping: boolean;
  rule: string | null;
}

export interface NodeDetail extends Omit<NodeRow, "metrics" | "worst"> {
  metrics: Record<string, MetricDetail>;
}

export interface EventLine {
  time_ms: number;
  node: string | null;
  metric?: string;
  kind: string;
  level: Level;
  text: string;
}
