// What happened, filtered and page by page; the night's page, on the screen and on paper.
import assert from "node:assert/strict";
import { eventually, picture, story, tell } from "./story.mjs";

const NODES = 230;
const name = (at) => `ccd${`${at}`.padStart(3, "0")}`;

story("events", async ({ open }) => {
  await tell(...Array.from({ length: NODES }, (_, at) => `node=${name(at + 1)} disk_percent=97 interval=600`));
  await tell("node=fibre1 disk_percent=85 interval=600", "node=fibre1 disk_percent=97 interval=600", "node=fibre1 disk_percent=50 interval=600");
  const page = await open({ path: "#/events" });
  const rows = page.locator(".events tbody tr");
  await page.getByRole("cell", { name: /fibre1 disk_percent 50 % is good again/ }).waitFor();

  // A note with markup in it is text.
  const note = page.getByRole("cell", { name: "<img src=x onerror=alert(1)>" });
  await page.getByRole("searchbox", { name: "What" }).fill("ONERROR");
  await note.first().waitFor();
  assert.equal(await page.locator("td img").count(), 0);

  // Filters of what is live: by words, node, level, kind and group; the address has them.
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("combobox", { name: "Node" }).fill("fibre1");
  await page.getByRole("combobox", { name: "Node" }).press("Enter");
  await eventually("only what happened to it", async () => (await rows.allInnerTexts()).every((text) => text.includes("fibre1")));
  const all = await rows.count();
  await page.getByRole("combobox", { name: "Level" }).selectOption("error");
  await eventually("only what is grave", async () => (await rows.count()) < all);
  await page.getByRole("cell", { name: /fibre1 disk_percent 97/ }).waitFor();
  assert.match(page.url(), /#\/events\?node=fibre1&level=error$/);
  await page.reload();
  await page.getByRole("cell", { name: /fibre1 disk_percent 97/ }).waitFor();
  await tell("node=fibre1 disk_percent=98 interval=600");
  await eventually("what happens now is there at once", async () => (await rows.count()) === 2);

  // The archive: all that it has, page by page, and the same filters.
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("combobox", { name: "Group" }).selectOption("ccd");
  await page.getByRole("combobox", { name: "Kind" }).fill("level");
  await page.getByRole("combobox", { name: "Kind" }).press("Enter");
  await eventually("the archive has them", async () => {
    await page.getByRole("button", { name: "Latest" }).click();
    await page.getByRole("button", { name: "1 d", exact: true }).click();
    await page.getByText("Page 1").waitFor({ timeout: 2000 });
    return (await rows.count()) === 200;
  });
  const first = await rows.first().innerText();
  await page.getByRole("button", { name: "Older" }).click();
  await page.getByText("Page 2").waitFor();
  await eventually("the others", async () => (await rows.count()) === NODES - 200);
  await picture(page, "events-page-2");
  await page.getByRole("button", { name: "Newer" }).click();
  await eventually("the newest again", async () => (await rows.count()) === 200 && (await rows.first().innerText()) === first);

  // The nights: the newest has all of this.
  await page.getByRole("link", { name: "Nights" }).click();
  const nights = page.locator(".nights a");
  await eventually("many nights", async () => (await nights.count()) === 90);
  await picture(page, "nights");
  await nights.first().click();
  await page.getByRole("heading", { name: /^Night of \d{4}-\d\d-\d\d/ }).waitFor();
  const problem = page.getByRole("row", { name: /error fibre1 .* fibre1 disk_percent 98 % over 90: error/ });
  await problem.waitFor();
  assert.match(await problem.innerText(), /not over/);
  await page.getByText(new RegExp(`${NODES + 1} of ${NODES + 1} nodes with problems`)).waitFor();
  await picture(page, "night");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("header").isVisible(), false, "paper has the night alone");
  assert.equal(await page.getByRole("button", { name: "Print" }).isVisible(), false);
  assert((await page.pdf({ format: "A4" })).length > 10_000, "it is printed");
  await picture(page, "night-print");
  await page.emulateMedia({ media: "screen" });
  const date = (await page.getByRole("heading", { name: /^Night of/ }).innerText()).match(/\d{4}-\d\d-\d\d/)[0];
  await page.getByRole("link", { name: /^◀ / }).click();
  await eventually("the night before", async () => !page.url().endsWith(date));
  await page.getByText("Nothing went wrong.").waitFor();
  await page.goBack();
  await problem.getByRole("link", { name: "fibre1" }).click();
  await page.getByRole("heading", { name: /^disk_percent/ }).waitFor();
  assert.match(page.url(), /from=\d+&to=\d+&metrics=disk_percent/);

  const phone = await open({ path: `#/night/${date}`, width: 390, height: 844, touch: true, dark: true, locale: "zh-CN" });
  await phone.locator(".problems").waitFor();
  await eventually("it is as wide as a phone", () => phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await picture(phone, "phone-night-zh-dark");
});
