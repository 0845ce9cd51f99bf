// A hundred nodes and a thousand: how soon they are painted, and how soon a change is on the screen. Recorded, not asserted.
import assert from "node:assert/strict";
import { eventually, median, number, picture, row, story, tell } from "./story.mjs";

/** Looks for the first line of a node and for the frame that shows it. */
const watchPaint = () => {
  const look = new MutationObserver(() => {
    if (!document.querySelector(".list .row")) return;
    look.disconnect();
    // The frame after the one that has it is the first that begins when it is on the screen.
    requestAnimationFrame(() => requestAnimationFrame((at) => { window.painted = at; }));
  });
  look.observe(document, { childList: true, subtree: true });
};

/** Notes when a text is in the overview. */
const watchChange = (label) => {
  const look = new MutationObserver(() => {
    if (!document.querySelector(`.list [aria-label^="${label}"]`)) return;
    look.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => { window.changed = Date.now(); }));
  });
  window.changed = 0;
  look.observe(document.querySelector(".list"), { childList: true, subtree: true, attributes: true });
};

const line = (at, cpu) => `node=ccd${`${at}`.padStart(4, "0")} cpu_percent=${cpu} memory_percent=${at % 90} disk_percent=${at % 79} nic_in=${at}000 nic_out=${at} interval=600`;

async function firstPaint(open, nodes, asked) {
  const times = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const page = await open({ width: 1920, height: 1080, before: watchPaint });
    await eventually("the first paint", () => page.evaluate(() => window.painted > 0));
    times.push(Math.round(await page.evaluate(() => window.painted)));
    if (turn === 2) await picture(page, `overview-${nodes}`);
    await page.context().close();
  }
  number(`first paint of the overview with ${nodes} nodes, of ${times.length}`, `${median(times)} ms (${times.join(", ")})`, asked);
}

async function latency(open, nodes) {
  const page = await open({ width: 1920, height: 1080 });
  // What is worst stands on the screen however many there are.
  await tell("node=ccd0001 cpu_percent=95.5 disk_percent=97 interval=600");
  await row(page, "ccd0001").waitFor();
  const times = [];
  for (let turn = 0; turn < 9; turn += 1) {
    const value = 91 + (turn % 9);
    await page.evaluate(watchChange, `CPU ${value} %`);
    const sent = Date.now();
    await tell(`node=ccd0001 cpu_percent=${value} disk_percent=97 interval=600`);
    await eventually("a change is on the screen", () => page.evaluate(() => window.changed > 0));
    times.push((await page.evaluate(() => window.changed)) - sent);
  }
  number(`from the hub's port to the screen with ${nodes} nodes, median of ${times.length}`, `${median(times)} ms (largest ${Math.max(...times)})`, "100 ms from the bus");
  await page.context().close();
}

async function scrolls(open) {
  const page = await open({ width: 700, height: 800 });
  await page.locator(".list .row").first().waitFor();
  const frames = await page.evaluate(async () => {
    const times = [];
    let last = performance.now();
    for (let at = 0; at < 60; at += 1) {
      scrollBy(0, 200);
      const now = await new Promise((resolve) => requestAnimationFrame(resolve));
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  number("a frame while 1000 nodes scroll, median", `${frames[30].toFixed(0)} ms (95 %: ${frames[57].toFixed(0)})`);
  const made = await page.locator(".list .row").count();
  assert(made < 150, `only lines near the screen are made, not ${made}`);
  await page.context().close();
}

story("many", async ({ open }) => {
  const lines = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => line(from + at, (from + at) % 70));
  await tell(...lines(1, 100));
  const page = await open({ width: 1920, height: 1080 });
  await eventually("a hundred on one screen", async () => (await page.locator(".list .row").count()) === 100);
  assert(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight + 40), "without scrolling");
  await page.context().close();
  await firstPaint(open, 100, "300 ms");
  await latency(open, 100);
  for (let from = 101; from <= 1000; from += 100) await tell(...lines(from, from + 99));
  await firstPaint(open, 1000, "1 s");
  await latency(open, 1000);
  await scrolls(open);
});
