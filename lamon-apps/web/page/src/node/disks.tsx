// How long the disks last.
import { path, useAnswer } from "../ask";
import { amount } from "../format";
import type { Disk } from "../types";
import { word } from "../words";

export function Disks({ node }: { node: string }) {
  const { answer } = useAnswer<Disk[]>(path(`nodes/${encodeURIComponent(node)}/disks`));
  if (answer === null || answer.length === 0) return null;
  const said = (value: number | null, unit = "") => (value === null ? "–" : `${Number(value.toFixed(1))}${unit}`);
  return (
    <section aria-label={word("disks")}>
      <h3>{word("disks")}</h3>
      <table>
        <thead><tr><th>{word("disk_percent")}</th><th>{word("full")}</th><th>{word("free")}</th><th>{word("perNight")}</th><th>{word("nights")}</th></tr></thead>
        <tbody>
          {answer.map((disk) => (
            <tr key={disk.metric}>
              <td>{disk.mount ?? disk.metric}</td><td class="number">{said(disk.percent, " %")}</td><td class="number">{amount(disk.free_bytes, "B")}</td>
              <td class="number">{said(disk.rate_percent_per_night, " %")}</td><td class="number">{said(disk.nights_left)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
