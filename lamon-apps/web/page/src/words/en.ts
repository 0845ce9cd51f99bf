// The page's words in English.

export const en = {
  search: "Search nodes", nodes: "Nodes", events: "Events", back: "All nodes", language: "中文", metric: "Metric",
  value: "Value", level: "Level", taken: "Taken", rule: "Rule", none: "No node is known yet.",
  noEvents: "Nothing has happened yet.", noMatch: "No node matches.", gone: "This node is not known.",
  connecting: "Connecting…", away: "The hub is not heard: everything is as it was last.", heard: "heard", ago: "ago", never: "never",
  agents: "agents", rate: "samples/s", stored: "stored", backlog: "wait for the archive", group: "Group", all: "All groups",
  good: "good", warning: "warning", error: "error", silent: "silent", hub: "hub",
  cpu_percent: "CPU", memory_percent: "Memory", disk_percent: "Disk", net: "Network", time: "Time", node: "Node", text: "What",
  why: "Worst", muted: "muted", acknowledged: "known", unknown: "no longer comes", flapping: "flips", since: "Since",
  night: "night", day: "day", notReady: "not ready for the night:", nightsLeft: "nights until a disk is full", database: "archive:",
  journal: "journal:",
  compare: "Compare", heat: "Heat map", multiples: "One by one", multiplesAre: "the dashed line is the median of all", outliers: "unlike the others", noOutliers: "None is unlike the others.",
  apart: "apart", median: "median", unlikeFirst: "The most unlike first", heatKeys: "Arrow keys go from cell to cell, Enter shows the node.",
  unreachable: "lamon-web does not answer.", range: "Range", from: "From", to: "To", live: "Live",
  last_1h: "1 h", last_6h: "6 h", last_1d: "1 d", last_1w: "1 week", last_1m: "1 month", last_1y: "1 year", last_all: "All",
  earlier: "Earlier", later: "Later", closer: "Closer", wider: "Wider", metrics: "Curves", with: "Add a node", without: "Remove",
  noHistory: "Only what came since this page was opened:", nothingStored: "no samples", lowest: "lowest", highest: "highest", limit: "Limit",
  curveKeys: "Arrow keys pan, plus and minus zoom, Home is live. Drag to zoom, shift and drag to pan, wheel when it has the focus.",
  samples: "Samples", newer: "Newer", older: "Older", page: "Page", csv: "Download CSV", now: "Now", disks: "Disks", full: "Full",
  free: "Free", perNight: "A busy night adds", nights: "Nights left",
};
