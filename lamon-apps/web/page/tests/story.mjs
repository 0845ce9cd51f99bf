// What the stories share: the browser, the hub that things are told to, waits with one deadline, pictures and numbers.
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** How long a story may take, ms: below LONGEST_STORY in tests/src/web.rs. */
const MOST_MS = 100_000;

/** How long anything is waited for, ms. */
export const PATIENCE_MS = 30_000;

/** What a browser without a screen, a sandbox and a network needs. */
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** Where lamon-web is. */
export const web = needed("LAMON_WEB");
const screenshots = needed("SCREENSHOTS");

function needed(name) {
  const value = process.env[name];
  assert(value, `${name} is not set: the stories are started by tests/tests/web_page/`);
  return value;
}

/** Runs a story in a browser of its own and ends the program: 0 when it held, 1 when not. */
export async function story(name, tell) {
  const late = setTimeout(() => {
    console.log(`${name}: not at its end after ${MOST_MS / 1000} s`);
    process.exit(1);
  }, MOST_MS);
  const browser = await chromium.launch({ executablePath: needed("CHROMIUM"), headless: true, args: FLAGS });
  const complaints = [];
  let code = 0;
  try {
    await tell({ open: (options = {}) => open(browser, complaints, options) });
    assert.deepEqual(complaints, [], "what the browser complained of");
  } catch (error) {
    console.log(`${name}: ${error instanceof Error ? error.stack : error}`);
    if (complaints.length > 0) console.log("the browser complained:", complaints.join("\n"));
    for (const [at, page] of browser.contexts().flatMap((context) => context.pages()).entries()) {
      await picture(page, `failed-${name}-${at}`).catch(() => undefined);
    }
    code = 1;
  }
  await browser.close();
  clearTimeout(late);
  process.exit(code);
}

/** A page of its own: nothing is kept from the one before. `path` is what comes behind the address. */
async function open(browser, complaints, { path = "", width = 1280, height = 800, locale = "en-GB", dark = false, touch = false, before, quiet = [] } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, locale, timezoneId: "Asia/Shanghai", colorScheme: dark ? "dark" : "light", hasTouch: touch,
    acceptDownloads: true,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`${error}`));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !quiet.some((words) => text.includes(words))) complaints.push(text);
  });
  if (before) await page.addInitScript(before);
  await page.goto(web + path);
  return page;
}

/** Tells the hub lines, each as `printf … | nc hub 7617` would; all must be taken. */
export async function tell(...lines) {
  const [host, port] = splitAddress(needed("LAMON_HUB"));
  const socket = net.connect(port, host);
  let answered = "";
  const done = new Promise((resolve, reject) => {
    socket.setTimeout(PATIENCE_MS, () => reject(new Error("the hub does not answer")));
    socket.on("data", (bytes) => {
      answered += bytes;
      if (answered.split("\n").length > lines.length) resolve(undefined);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`the hub closed after ${JSON.stringify(answered)}`)));
  });
  socket.write(lines.map((line) => `${line}\n`).join(""));
  try {
    await done;
  } finally {
    socket.removeAllListeners("close").destroy();
  }
  const bad = answered.trim().split("\n").filter((answer) => answer !== "ok");
  assert.deepEqual(bad, [], "what the hub answered");
}

function splitAddress(address) {
  const at = address.lastIndexOf(":");
  return [address.slice(0, at), Number(address.slice(at + 1))];
}

/** Looks until there is something to see. */
export async function eventually(what, look) {
  const end = Date.now() + PATIENCE_MS;
  let last;
  for (;;) {
    try {
      const seen = await look();
      if (seen) return seen;
    } catch (error) {
      last = error;
    }
    assert(Date.now() < end, `waited in vain: ${what}${last ? ` (${last})` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Keeps a picture of what is on the screen, or of the whole page. */
export async function picture(page, name, fullPage = false) {
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage, animations: "disabled" });
}

/** Keeps a number: in the output, and beside the pictures. */
export function number(what, value, asked) {
  const line = `${what}: ${value}${asked ? ` (asked: ${asked})` : ""}`;
  console.log(line);
  appendFileSync(join(screenshots, "numbers.txt"), `${new Date().toISOString()} ${line}\n`);
}

/** The middle of some numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** The row of a node in the overview. */
export function row(page, node) {
  return page.getByRole("listitem").filter({ has: page.locator(".name", { hasText: new RegExp(`^${node}( |$)`) }) });
}
