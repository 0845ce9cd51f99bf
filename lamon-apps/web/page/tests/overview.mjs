// The overview is live: values change while it is looked at, a node turns red and good again; search, group and keyboard.
import assert from "node:assert/strict";
import { eventually, picture, row, story, tell } from "./story.mjs";

/** The nodes in their order, but for the real one: nobody knows how well this machine is. */
const texts = async (page) => (await page.locator(".list .row .name").allInnerTexts()).filter((name) => !name.startsWith("realnode"));

story("overview", async ({ open }) => {
  await tell("node=ccd01 cpu_percent=10 memory_percent=40 disk_percent=50 interval=600",
    "node=ccd02 cpu_percent=12 memory_percent=41 disk_percent=51 interval=600",
    "node=fibre1 cpu_percent=14 memory_percent=42 disk_percent=52 interval=600");
  const page = await open({ quiet: ["503"] });
  await row(page, "ccd02").waitFor();

  // The agent of this machine sends every second: its values move by themselves.
  await row(page, "realnode").waitFor();
  const bars = () => row(page, "realnode").innerText();
  const first = await bars();
  await eventually("the real agent's values change", async () => (await bars()) !== first);

  // A value changes where it stands.
  await tell("node=ccd01 cpu_percent=37 memory_percent=40 disk_percent=50 interval=600");
  await row(page, "ccd01").getByLabel("CPU 37 %").waitFor();

  // A node turns red: it is told by shape and words, stands first, and is counted.
  await tell("node=fibre1 cpu_percent=14 memory_percent=42 disk_percent=97 interval=600");
  await row(page, "fibre1").getByLabel("Disk 97 % error").waitFor();
  await eventually("what is worst stands first", async () => (await texts(page))[0] === "fibre1");
  const errors = async () => Number((await page.locator(".counts").innerText()).match(/■\s*(\d+)/)[1]);
  const before = await errors();
  assert(before >= 1, "it is counted");
  assert.match(await row(page, "fibre1").innerText(), /■.*disk_percent 97 %/s);
  await picture(page, "overview-red");
  await tell("node=fibre1 cpu_percent=14 memory_percent=42 disk_percent=50 interval=600");
  await eventually("it is good again", async () => (await errors()) < before);
  await eventually("and no longer first", async () => (await texts(page))[0] === "ccd01");

  // Search and group.
  await page.getByRole("searchbox", { name: "Search nodes" }).fill("CCD");
  await eventually("only what was searched", async () => (await texts(page)).join() === "ccd01,ccd02");
  await page.getByRole("searchbox").fill("nothing of that name");
  await page.getByText("No node matches.").waitFor();
  await page.getByRole("searchbox").fill("");
  await page.getByRole("combobox", { name: "All groups" }).or(page.getByRole("combobox", { name: "Group" })).selectOption("fibre");
  await eventually("only the group", async () => (await texts(page)).join() === "fibre1");
  await page.getByRole("combobox").selectOption("");

  // By keyboard alone: to a node, to what happened, and back.
  await page.getByRole("searchbox").focus();
  for (let step = 0; step < 8; step += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.querySelector(".name")?.textContent === "ccd02")) break;
  }
  assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "solid", "what has the focus is marked");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /ccd02/ }).waitFor();
  await page.getByRole("cell", { name: "memory_percent", exact: true }).waitFor();
  await page.goBack();
  await row(page, "ccd02").waitFor();
  await page.getByRole("link", { name: "Events" }).press("Enter");
  await page.getByRole("cell", { name: /fibre1 disk_percent 97/ }).first().waitFor();

  // What people named is text, never markup.
  await tell("node=fibre1 disk_percent=91 interval=600");
  await page.getByRole("cell", { name: /fibre1 disk_percent 91/ }).first().waitFor();
  await picture(page, "events");
});
