// Without a database: one line says so, and the curve of what came since the page was opened grows.
import assert from "node:assert/strict";
import { eventually, picture, row, story } from "./story.mjs";

story("live_curve", async ({ open }) => {
  // A browser complains of every answer that is a refusal.
  const page = await open({ quiet: ["503"] });
  await row(page, "realnode").click();
  await page.getByText(/Only what came since this page was opened: no archive is configured/).waitFor();
  const heading = page.getByRole("heading", { name: /lowest .* highest/ });
  await heading.first().waitFor();
  // On a busy computer CPU stands still at 100 %, on an idle one memory does.
  const moves = async () => (await heading.allInnerTexts()).some((text) => {
    const [, low, high] = text.match(/lowest (.*), highest (.*)/);
    return low !== high;
  });
  await eventually("a curve grows", moves);
  // The same after it was looked at something else.
  await page.goBack();
  await row(page, "realnode").waitFor();
  await page.goForward();
  await heading.first().waitFor();
  assert(await moves(), "what came before is still there");
  await picture(page, "node-without-database", true);
});
