// How it looks: both languages, light and dark, on a phone; every control has a name.
import assert from "node:assert/strict";
import { eventually, picture, row, story, tell } from "./story.mjs";

/** Controls that a screen reader has no name for. */
const nameless = () => [...document.querySelectorAll("a, button, input, select, textarea, [role=img], canvas:not([aria-hidden]), [tabindex]")]
  .filter((one) => !(one.getAttribute("aria-label") ?? one.getAttribute("title") ?? one.closest("label")?.textContent ?? one.textContent)?.trim())
  .map((one) => one.outerHTML.slice(0, 120));

/** Whether anything is wider than the screen. */
const overflows = () => document.documentElement.scrollWidth > innerWidth;

/** There is no database here, and browsers complain of answers that are refusals. */
const quiet = ["503"];

const VIEWS = ["", "#/node/ccd03", "#/events"];

story("looks", async ({ open }) => {
  const lines = [];
  for (let at = 1; at <= 14; at += 1) {
    const disk = at === 3 ? 97 : at === 5 ? 84 : 30 + at;
    lines.push(`node=ccd${`${at}`.padStart(2, "0")} cpu_percent=${(at * 7) % 60} memory_percent=${20 + at} disk_percent=${disk} nic_in=${at * 91000} nic_out=${at * 3000} load1=0.4 disk_home_percent=${disk} disk_home_free=${at}e10 temp_cpu=${40 + at} interval=600`);
  }
  lines.push("node=a-name-of-32-letters-that-is-all cpu_percent=1 interval=600");
  await tell(...lines);
  for (const [colours, dark] of [["light", false], ["dark", true]]) {
    for (const [language, locale] of [["en", "en-GB"], ["zh", "zh-CN"]]) {
      const page = await open({ dark, locale, quiet });
      for (const view of VIEWS) {
        await page.evaluate((hash) => { location.hash = hash; }, view);
        await (view === "" ? row(page, "ccd05") : page.locator("main table").first()).waitFor();
        assert.deepEqual(await page.evaluate(nameless), [], `controls without a name in ${view}`);
        await picture(page, `look-${view.replace(/\W/g, "") || "overview"}-${language}-${colours}`);
      }
      assert.equal(await page.evaluate(() => document.documentElement.lang), language === "zh" ? "zh-CN" : "en");
      await page.context().close();
    }
  }

  // The language is switched by its button, and stays.
  const page = await open();
  await page.getByRole("button", { name: "中文" }).click();
  await page.getByRole("link", { name: "事件" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("link", { name: "Events" }).waitFor();

  // Light and dark differ, and text can be read on both: at least 4.5 to 1, as WCAG 2 asks.
  for (const dark of [false, true]) {
    const page = await open({ dark });
    await row(page, "ccd05").waitFor();
    const ratio = await page.evaluate(contrast);
    assert(ratio >= 4.5, `text has a contrast of ${ratio.toFixed(1)} to 1`);
    await page.context().close();
  }

  // A phone: everything is as wide as the screen, and is reached by a finger.
  const phone = await open({ width: 390, height: 844, touch: true, quiet });
  for (const view of VIEWS) {
    await phone.evaluate((hash) => { location.hash = hash; }, view);
    await (view === "" ? row(phone, "ccd05") : phone.locator("main table").first()).waitFor();
    await eventually(`${view} fits a phone`, async () => !(await phone.evaluate(overflows)));
    await picture(phone, `phone-${view.replace(/\W/g, "") || "overview"}`);
  }
  await phone.evaluate(() => { location.hash = ""; });
  await row(phone, "ccd03").tap();
  await phone.getByRole("heading", { name: /ccd03/ }).waitFor();
});

/** The smallest contrast of the page's own text colours to what is behind them. */
function contrast() {
  const light = (text) => {
    const parts = text.match(/[\d.]+/g).slice(0, 3).map((part) => Number(part) / 255);
    const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\)$|transparent/.test(colour)) return light(colour);
    }
    return 1;
  };
  const of = (element) => {
    const pair = [light(getComputedStyle(element).color), behind(element)].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  };
  return Math.min(...[...document.querySelectorAll("nav a, header p, .row .name, .row .group, .row .why, .head span")].filter((one) => one.textContent.trim()).map(of));
}
