// What is away is said, and what was shown stays: the hub killed and started anew, then lamon-web itself.
import assert from "node:assert/strict";
import { eventually, picture, row, story, tell } from "./story.mjs";

const [hub, web] = [process.env.HUB_PID, process.env.WEB_PID].map(Number);

story("away", async ({ open }) => {
  await tell("node=ccd01 cpu_percent=11 disk_percent=97 interval=600");
  const page = await open({ quiet: ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "503"] });
  await row(page, "ccd01").getByLabel("CPU 11 %").waitFor();
  const status = page.getByRole("status").first();

  // The hub dies; whoever started it starts it again when it is seen that the page says so.
  process.kill(hub, "SIGSTOP");
  await status.filter({ hasText: "The hub is not heard: everything is as it was last." }).waitFor();
  await row(page, "ccd01").getByLabel("CPU 11 %").waitFor();
  await picture(page, "away-hub");
  process.kill(hub, "SIGKILL");
  await eventually("the new hub takes lines", async () => {
    await tell("node=ccd01 cpu_percent=22 disk_percent=50 interval=600");
    return true;
  });
  await row(page, "ccd01").getByLabel("CPU 22 %").waitFor();
  await eventually("it is heard again", async () => !/not heard/.test(await status.innerText()));

  // A node's view goes on as well.
  await row(page, "ccd01").click();
  await page.getByRole("heading", { name: /^cpu_percent/ }).waitFor();

  // lamon-web ends: the page says so, and keeps what it has.
  process.kill(web, "SIGKILL");
  await status.filter({ hasText: "Connecting…" }).waitFor();
  await page.getByRole("link", { name: "Nodes" }).click();
  await row(page, "ccd01").getByLabel("CPU 22 %").waitFor();
  await picture(page, "away-page");
  assert.equal(await page.evaluate(() => document.querySelectorAll("main").length), 1);
});
