// Without a database: one line says so, and the curve of what came since the page was opened grows.
import assert from "node:assert/strict";
import { eventually, picture, row, story } from "./story.mjs";

story("live_curve", async ({ open }) => {
  // A browser complains of every answer that is a refusal.
  const page = await open({ quiet: ["503"] });
  await row(page, "realnode").click();
  await page.getByText(/Only what came since this page was opened: no archive is configured/).waitFor();
  const heading = page.getByRole("heading", { name: /^memory_percent lowest/ });
  await heading.waitFor();
  await eventually("the curve grows", async () => {
    const [low, high] = (await heading.innerText()).match(/[\d.]+/g).map(Number);
    return low < high;
  });
  // The same after it was looked at something else.
  await page.goBack();
  await row(page, "realnode").waitFor();
  await page.goForward();
  const [low, high] = (await heading.innerText()).match(/[\d.]+/g).map(Number);
  assert(low < high, "what came before is still there");
  await picture(page, "node-without-database", true);
});
