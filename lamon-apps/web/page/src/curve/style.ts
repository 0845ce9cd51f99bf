// How lines look: each by its colour and by its dashes, so that no eye needs the colour.
import { signal } from "@preact/signals";

/** Colours that most eyes tell apart, on light and on dark (after Okabe and Ito). */
const COLOURS = {
  light: ["#0063a6", "#b35900", "#00795a", "#a03d7d", "#7a6a00", "#3b3fb0", "#8f2d2d", "#3d6b73"],
  dark: ["#5fb0e8", "#f0a04b", "#3fc79a", "#e08cc0", "#d9cb4a", "#9b9ff5", "#f08a8a", "#8fc4cc"],
};

/** The dashes of the first line, of the second, …, pixels. */
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

const query = matchMedia("(prefers-color-scheme: dark)");
/** Whether the page is dark. */
export const dark = signal(query.matches);
query.addEventListener("change", () => (dark.value = query.matches));

export interface LineStyle {
  colour: string;
  dash: number[];
}

/** The look of the line at a place. */
export function lineStyle(place: number): LineStyle {
  const colours = dark.value ? COLOURS.dark : COLOURS.light;
  // With eight colours and four dashes no two of sixteen lines are the same.
  const dash = DASHES[(place + Math.floor(place / colours.length)) % DASHES.length] ?? [];
  return { colour: colours[place % colours.length] ?? "#888", dash };
}

/** A colour of styles/page.css as it is now, as a canvas takes it. */
export function colourOf(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
