// A node with its past: curves, gaps, limits, zoom and pan by mouse, wheel and keys, other nodes beside it, table, CSV.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { eventually, median, number, picture, story, tell } from "./story.mjs";

/** What the address says. */
const asked = (page) => page.evaluate(() => Object.fromEntries(new URLSearchParams(location.hash.split("?")[1] ?? "")));
/** What the first curve shows: the labels at its axis are drawn, but who cannot see is told the same. */
const idle = (page) => page.locator(".curves[aria-busy=false]").waitFor();
const plot = (page, at = 0) => page.locator(".plot").nth(at);
const length = async (page) => {
  const { from, to } = await asked(page);
  return Number(to) - Number(from);
};
const HOUR = 3_600_000;

/** How many pixels of the curve's own colour a column of a curve has. */
const inked = (page, at, [left, right]) => page.evaluate(([at, left, right]) => {
  const canvas = document.querySelectorAll(".plot canvas")[at];
  const over = canvas.parentElement.querySelector(".u-over");
  const scale = canvas.width / canvas.clientWidth;
  const [x, y, width, height] = [over.offsetLeft + left * over.clientWidth, over.offsetTop, (right - left) * over.clientWidth, over.clientHeight].map((one) => Math.round(one * scale));
  const { data } = canvas.getContext("2d").getImageData(x, y, width, height);
  let count = 0;
  for (let pixel = 0; pixel < data.length; pixel += 4) if (data[pixel] < 60 && data[pixel + 2] > 120 && data[pixel + 3] > 150) count += 1;
  return count;
}, [at, left, right]);

/** How long from a click until the curves of what was clicked are drawn, and how long of it since the answer came, ms. */
async function drawn(page, button) {
  await idle(page);
  await page.evaluate(() => {
    const curves = document.querySelector(".curves");
    window.took = undefined;
    let [clicked, busy] = [0, false];
    document.addEventListener("click", () => { clicked = performance.now(); }, { capture: true, once: true });
    new MutationObserver((_, observer) => {
      if (curves.getAttribute("aria-busy") === "true") busy = true;
      else if (busy) {
        observer.disconnect();
        // The frame after the one that has them is the first that begins when they are on the screen.
        requestAnimationFrame(() => requestAnimationFrame((at) => {
          const answered = performance.getEntriesByType("resource").filter((one) => one.name.includes("/history?")).at(-1).responseEnd;
          window.took = [at - clicked, at - answered].map(Math.round);
        }));
      }
    }).observe(curves, { attributes: true });
  });
  await page.getByRole("button", { name: button, exact: true }).click();
  return eventually(`the curves of ${button}`, () => page.evaluate(() => window.took));
}

story("node", async ({ open }) => {
  const now = (name, cpu) => `node=${name} cpu_percent=${cpu} memory_percent=44 disk_percent=86 nic_in=70000 temp_cpu=50 interval=600`;
  await tell(now("ccd01", 33), now("ccd02", 22));
  const page = await open({ path: "#/node/ccd01?range=1d", height: 1000 });
  await idle(page);

  // The curves of a day, its gap, and both limits of the disk.
  await page.getByRole("heading", { name: /^cpu_percent lowest .* highest/ }).waitFor();
  await eventually("the curve is drawn", async () => (await inked(page, 0, [0.3, 0.7])) > 100);
  const gap = [1 - 4.9 / 24, 1 - 4.1 / 24];
  assert.equal(await inked(page, 0, gap), 0, "a gap is a gap");
  await page.getByRole("note", { name: "Limit warning > 80 %" }).waitFor();
  await page.getByRole("note", { name: "Limit error > 90 %" }).waitFor();
  assert.equal(await page.locator(".limit.warning").first().evaluate((line) => getComputedStyle(line, "::before").borderTopStyle), "dashed");
  await picture(page, "node-day");

  // How long drawing takes, the question included.
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  const took = { "1 d": [], "1 year": [] };
  for (let turn = 0; turn < 3; turn += 1) for (const button of Object.keys(took)) took[button].push(await drawn(page, button));
  const middles = (all) => `${median(all.map(([whole]) => whole))} ms, of them ${median(all.map(([, own]) => own))} since the answer`;
  number("from a click to a day of 10 s samples drawn, 4 curves", middles(took["1 d"]), "200 ms");
  number("from a click to a year drawn, 4 curves", middles(took["1 year"]), "500 ms");
  assert.equal((await asked(page)).range, "1y");
  await picture(page, "node-year");

  // Its end is live.
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  await idle(page);
  await tell(now("ccd01", 77));
  await page.locator(".curve").first().getByText("77 %").first().waitFor();

  // Dragging zooms; the address says to what, and all curves show it.
  const box = await plot(page).locator(".u-over").boundingBox();
  const [middle, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const drag = async (from, to) => {
    await page.mouse.move(from, y);
    await page.mouse.down();
    await page.mouse.move((from + to) / 2, y, { steps: 4 });
    await page.mouse.move(to, y, { steps: 4 });
    await page.mouse.up();
  };
  await drag(middle, middle + box.width / 4);
  await eventually("a quarter of an hour is shown", async () => Math.abs((await length(page)) - HOUR / 4) < HOUR / 60);
  await page.getByRole("button", { name: "Live" }).waitFor();
  await picture(page, "node-zoomed");

  // With shift it pans, by keys as well; plus, minus and the wheel zoom.
  const before = await asked(page);
  await page.keyboard.down("Shift");
  await drag(middle, middle + box.width / 2);
  await page.keyboard.up("Shift");
  const panned = await asked(page);
  assert(Math.abs(Number(before.from) - Number(panned.from) - HOUR / 8) < HOUR / 60, "half of it earlier");
  assert(Math.abs((await length(page)) - HOUR / 4) < HOUR / 60, "as long as before");
  await plot(page).focus();
  await page.keyboard.press("ArrowRight");
  await eventually("later by keys", async () => Number((await asked(page)).from) > Number(panned.from));
  await page.keyboard.press("-");
  await eventually("longer by keys", async () => (await length(page)) > HOUR / 3);
  const wide = await length(page);
  await page.mouse.move(middle, y);
  await page.mouse.wheel(0, -100);
  await eventually("shorter by the wheel", async () => (await length(page)) < wide * 0.9);
  await page.evaluate(() => document.activeElement.blur());
  const still = await length(page);
  await page.mouse.wheel(0, 100);
  await eventually("without the focus the wheel scrolls the page", () => page.evaluate(() => scrollY > 0));
  assert.equal(await length(page), still);

  // Who opens the address sees the same; and comes back to now.
  const shared = await open({ path: await page.evaluate(() => location.hash) });
  await idle(shared);
  assert.deepEqual(await asked(shared), await asked(page));
  await shared.getByRole("heading", { name: /^cpu_percent lowest/ }).waitFor();
  await shared.context().close();
  await plot(page).focus();
  await page.keyboard.press("Home");
  await eventually("live again", async () => "range" in (await asked(page)));

  // Another node over it, and other curves.
  await page.getByRole("combobox", { name: "Add a node" }).fill("ccd02");
  await page.getByRole("combobox", { name: "Add a node" }).press("Enter");
  await page.locator(".curve").first().getByText("ccd02").waitFor();
  await page.getByText("Curves (4)").click();
  await page.getByRole("checkbox", { name: "nic_in" }).uncheck();
  await page.getByRole("checkbox", { name: "temp_cpu" }).check();
  await page.getByText("Curves (4)").click();
  await page.getByRole("button", { name: "6 h", exact: true }).click();
  await idle(page);
  assert.deepEqual(await asked(page), { with: "ccd02", metrics: "cpu_percent,memory_percent,disk_percent,temp_cpu", range: "6h" });
  await plot(page).hover({ position: { x: box.width / 2, y: 80 } });
  await page.locator(".legend .at").first().filter({ hasText: /^\d{4}-\d\d-\d\d \d\d:/ }).waitFor();
  await picture(page, "node-two", true);
  await page.getByRole("button", { name: "Remove ccd02" }).click();
  await eventually("the other is gone", async () => !("with" in (await asked(page))));

  // All there is: a year, not twenty.
  await page.getByRole("button", { name: "All", exact: true }).click();
  await eventually("from the first sample on", async () => /^202\d-/.test(await page.getByLabel("From").inputValue()) && Date.now() - Date.parse(await page.getByLabel("From").inputValue()) < 400 * 24 * HOUR);

  // The samples: fifty, then fifty older ones, and the same back; the file has all of them.
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  // The page of the range before has fifty as well, and others.
  await idle(page);
  const times = page.locator(".samples tbody td.time");
  await eventually("a page of samples", async () => (await times.count()) === 50);
  const newest = await times.first().innerText();
  const oldest = await times.last().innerText();
  await page.getByRole("button", { name: "Older" }).click();
  await page.getByText("Page 2").waitFor();
  await eventually("older ones", async () => (await times.first().innerText()) < oldest);
  // The hour moves on, its curves are drawn anew each 3.6 s, and who reads stays where he is.
  const read = await times.first().innerText();
  for (let drawn = 0; drawn < 3; drawn++) await page.waitForResponse((response) => response.url().includes("/history?"));
  assert.equal(await times.first().innerText(), read);
  await page.getByText("Page 2").waitFor();
  await page.getByRole("button", { name: "Newer" }).click();
  await eventually("the newest again", async () => (await times.first().innerText()) >= newest);
  const loaded = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download CSV" }).click();
  const lines = readFileSync(await (await loaded).path(), "utf8").trim().split(/\r?\n/);
  assert.match(lines[0], /^time,cpu_percent,memory_percent/);
  assert(lines.length > 300, `an hour has ${lines.length} lines`);
  assert.match(lines[1], /^\d{4}-\d\d-\d\dT[\d:.]+Z,/);

  // The disk: full, growing, and how long it lasts.
  const disk = page.getByRole("region", { name: "Disks" }).getByRole("row", { name: /disk_percent/ });
  assert.match(await disk.innerText(), /86 %/);

  // In Chinese, dark, on a phone.
  const phone = await open({ path: "#/node/ccd01?range=1d", width: 390, height: 844, touch: true, dark: true, locale: "zh-CN" });
  await idle(phone);
  await phone.getByRole("note", { name: "阈值 警告 > 80 %" }).waitFor();
  await eventually("it is as wide as the screen", () => phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await picture(phone, "phone-node-zh-dark", true);
});
