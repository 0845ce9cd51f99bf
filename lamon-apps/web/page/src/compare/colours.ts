// The colours of the heat map: from dark to bright, so that they are told apart without seeing colours (after viridis).

const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]] as const;

/** The colour of a part, 0 to 1, as red, green and blue. */
export function colour(part: number): [number, number, number] {
  const place = Math.min(1, Math.max(0, part)) * (STOPS.length - 1);
  const at = Math.min(STOPS.length - 2, Math.floor(place));
  const [low, high] = [STOPS[at] ?? STOPS[0], STOPS[at + 1] ?? STOPS[0]];
  const mix = (channel: 0 | 1 | 2) => Math.round(low[channel] + (high[channel] - low[channel]) * (place - at));
  return [mix(0), mix(1), mix(2)];
}

/** All of them as a bar. */
export const gradient = `linear-gradient(to right, ${STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;
