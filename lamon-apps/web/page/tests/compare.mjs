// One metric of all nodes over time: the map, the cell under mouse and keys, who is unlike the others, and the way to a node.
import assert from "node:assert/strict";
import { eventually, picture, story, tell } from "./story.mjs";

story("compare", async ({ open }) => {
  const names = Array.from({ length: 12 }, (_, at) => `ccd${`${at + 1}`.padStart(2, "0")}`);
  await tell(...[...names, "fibre1"].map((name) => `node=${name} cpu_percent=20 memory_percent=40 disk_percent=50 nic_in=1000 temp_cpu=40 interval=600`));
  const page = await open({ path: "#/compare?group=ccd", height: 900 });

  // All nodes of the group; the one that is unlike the others is named, and marked by more than a colour.
  const lines = page.locator(".heat li");
  await eventually("a line for each node of the group", async () => (await lines.count()) === names.length);
  assert.equal(await lines.nth(4).innerText(), "▲ ccd05");
  await page.getByText(/▲ 1 unlike the others: ccd05 \(\d+\)/).waitFor();
  await page.getByRole("img", { name: /^Heat map cpu_percent: 12 Nodes, 1 unlike the others/ }).waitFor();

  // What was not heard has no colour; what was has one, and more is brighter.
  const cells = await page.evaluate(() => {
    const canvas = document.querySelector(".heat canvas");
    const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const row = (at) => Array.from({ length: width }, (_, x) => [...data.slice(4 * (at * width + x), 4 * (at * width + x) + 4)]);
    return { height, usual: row(3), unlike: row(4) };
  });
  assert.equal(cells.height, names.length);
  const empty = cells.usual.filter(([, , , alpha]) => alpha === 0).length / cells.usual.length;
  assert(empty > 1 / 36 && empty < 1 / 12, `an hour of a day was not heard, not ${(24 * empty).toFixed(1)}`);
  const bright = (row) => row.filter(([, , , alpha]) => alpha > 0).map(([red, green]) => red + green).reduce((sum, one) => sum + one, 0);
  assert(bright(cells.unlike) > bright(cells.usual) * 1.2, "more is brighter");

  // The cell under the mouse is told, and the one that keys lead to.
  const map = page.locator(".heat canvas");
  await map.hover({ position: { x: 200, y: 4.5 * 15 } });
  await page.locator(".scale .at").filter({ hasText: /^ccd05 · \d{4}-.* · [\d.]+ % · median [\d.]+ % · apart/ }).waitFor();
  await picture(page, "compare");
  await map.focus();
  await page.keyboard.press("ArrowUp");
  await page.locator(".scale .at").filter({ hasText: /^ccd04 · / }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /ccd04/ }).waitFor();
  assert.match(page.url(), /#\/node\/ccd04\?metrics=cpu_percent&range=1d$/);
  await page.goBack();

  // The most unlike first; another metric; all groups; the same curve of each.
  await page.getByRole("checkbox", { name: "The most unlike first" }).check();
  await eventually("it stands first", async () => (await lines.first().innerText()) === "▲ ccd05");
  await page.locator(".multiple.outlier", { hasText: "ccd05" }).filter({ hasText: /▲ \d/ }).waitFor();
  assert.equal(await page.locator(".multiple").count(), names.length);
  await page.getByRole("combobox", { name: "Metric" }).selectOption("memory_percent");
  await page.getByText("None is unlike the others.").waitFor();
  await page.getByRole("combobox", { name: "Group" }).selectOption("");
  await eventually("all groups", async () => (await lines.count()) === names.length + 1);
  await page.locator(".multiple", { hasText: "ccd02" }).click();
  await page.getByRole("heading", { name: /^memory_percent/ }).waitFor();

  const dark = await open({ path: "#/compare", dark: true, locale: "zh-CN", width: 390, height: 844, touch: true });
  await dark.locator(".heat li").first().waitFor();
  await eventually("it is as wide as a phone", () => dark.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await picture(dark, "phone-compare-zh-dark", true);
});
