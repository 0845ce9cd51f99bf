// Numbers and times for people.

/** A value in its unit. */
export function amount(value: number | null, unit: string): string {
  if (value === null) return "–";
  if (unit === "B" || unit === "B/s") return bytes(value) + (unit === "B/s" ? "/s" : "");
  if (unit === "s" && Math.abs(value) >= 120) return age(value * 1000);
  if (unit === "%") return `${Number(value.toFixed(Math.abs(value) >= 1 ? 1 : 2))} %`;
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return `${Number(value.toFixed(digits))}${unit === "" ? "" : ` ${unit}`}`;
}

function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let scaled = value;
  let at = 0;
  while (Math.abs(scaled) >= 1000 && at < units.length - 1) {
    scaled /= 1000;
    at += 1;
  }
  return `${Number(scaled.toFixed(scaled < 10 ? 1 : 0))} ${units[at]}`;
}

/** A stretch of time, two units at most. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** A time of day, with its date when that is not today's. */
export function clock(ms: number): string {
  const date = new Date(ms);
  const time = date.toLocaleTimeString(undefined, { hour12: false });
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString()} ${time}`;
}

/** The unit of a metric's name; docs/bus.md has them. */
export function unitOf(metric: string): string {
  if (metric.endsWith("_percent")) return "%";
  if (metric.startsWith("nic_") && /_(in|out)$/.test(metric)) return "B/s";
  if (metric.startsWith("disk_") && metric.endsWith("_free")) return "B";
  if (metric === "uptime" || metric === "clock_offset") return "s";
  return metric.startsWith("temp_") ? "°C" : "";
}

/** A moment in digits, as a table and a curve have it: by the browser's own time. */
export function moment(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace("T", " ");
}

/** A date in digits. */
export function day(ms: number): string {
  return moment(ms).slice(0, 10);
}
