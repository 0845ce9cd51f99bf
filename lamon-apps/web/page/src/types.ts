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

/** Where a value is unwell: above a limit, below it, or beyond it on either side of zero. */
export interface Limits {
  /** By what name operators change them. */
  name: string;
  direction: "above" | "below" | "beyond";
  warning: number | null;
  error: number | null;
  clear: number;
}

export interface MetricDetail extends Reading {
  unit: string;
  taken_ms: number;
  since_ms: number;
  unknown: boolean;
  flapping: boolean;
  rule: string | null;
  limits?: Limits[];
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

/** A node's stored curves, by metric. */
export interface Series {
  node: string;
  tier: string;
  /** How long a point stands for; 0 when each is one sample. */
  step_ms: number;
  time_ms: number[];
  metrics: Record<string, { unit: string; mean: (number | null)[]; min: (number | null)[]; max: (number | null)[] }>;
}

export interface HistoryAnswer {
  from_ms: number;
  to_ms: number;
  series: Series[];
}

export interface SamplesAnswer {
  columns: string[];
  units: string[];
  rows: (number | null)[][];
  next: string | null;
}

export interface Disk {
  metric: string;
  /** Null for the fullest, where disks are not told apart. */
  mount: string | null;
  percent: number | null;
  free_bytes: number | null;
  rate_percent_per_night: number | null;
  nights_left: number | null;
}

/** One metric of many nodes over time. */
export interface HeatAnswer {
  metric: string;
  unit: string;
  from_ms: number;
  to_ms: number;
  /** How long a column stands for. */
  step_ms: number;
  time_ms: number[];
  median: (number | null)[];
  /** `apart`: how far a node is from what is usual among them, in robust deviations. */
  nodes: { node: string; mean: (number | null)[]; apart: number | null }[];
}

export interface EventPage {
  events: EventLine[];
  next: string | null;
}

export interface NightLine {
  date: string;
  from_ms: number;
  to_ms: number;
}

export interface Completeness {
  expected: number;
  stored: number;
  /** 0 to 1. */
  ratio: number;
}

export interface Problem {
  metric: string | null;
  kind: string;
  level: Level;
  from_ms: number;
  /** Null when it was not over at the end of the night. */
  to_ms: number | null;
  text: string;
}

export interface NightAnswer extends NightLine {
  completeness: Completeness | null;
  nodes: { node: string; group: string | null; completeness: Completeness | null; problems: Problem[] }[];
  hub: Problem[];
  blocked: { what: string; from_ms: number; to_ms: number | null; text: string }[];
  events: number;
  /** There was more than is told. */
  more: boolean;
}
