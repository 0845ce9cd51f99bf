// Who may do what: login refused and allowed, a viewer who sees no control and may not set, an operator who drags a limit that
// reaches the hub and stays after a reload, mutes and acknowledges with a note, and ends it again.
import assert from "node:assert/strict";
import { eventually, picture, story, tell } from "./story.mjs";

const PASSWORD = process.env.PASSWORD;
const button = (page, name) => page.getByRole("button", { name, exact: true });
const idle = (page) => page.locator(".curves[aria-busy=false]").waitFor();

async function logIn(page, user, password) {
  await button(page, "Log in").first().click();
  const dialog = page.getByRole("dialog", { name: "Log in" });
  await dialog.getByLabel("User").fill(user);
  await dialog.getByLabel("Password").fill(password);
  await dialog.getByRole("button", { name: "Log in" }).click();
  return dialog;
}

/** Nothing by which anything could be changed. */
async function seesNoControls(page) {
  await idle(page);
  await page.getByRole("note", { name: "Limit warning > 80 %" }).waitFor();
  for (const name of [/^Mute/, /^Acknowledge/, /^Limits/, /^End/]) assert.equal(await page.getByRole("button", { name }).count(), 0, `${name}`);
  assert.equal(await page.getByRole("slider").count(), 0);
}

/** Sends a change as the page itself could. */
const change = (page, path, body) => page.evaluate(async ([path, body]) => {
  const me = await (await fetch("./api/v1/me")).json();
  const headers = { "Content-Type": "application/json", "X-Lamon-Csrf": me.csrf };
  const answer = await fetch(`./api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return [answer.status, await answer.json()];
}, [path, body]);

story("operate", async ({ open }) => {
  for (const disk of [50, 85, 50, 76, 50, 85]) await tell(`node=ccd01 disk_percent=${disk} cpu_percent=10 interval=600`);
  const page = await open({ path: "#/node/ccd01?range=1h&metrics=disk_percent", height: 1000, quiet: ["status of 400", "status of 401", "status of 403"] });
  await seesNoControls(page);
  // What would have been is read from the archive.
  await eventually("all samples are in the archive", async () => (await page.getByRole("cell", { name: "50 %", exact: true }).count()) === 3 && page.getByRole("cell", { name: "76 %", exact: true }).isVisible());

  // Refused, then allowed.
  const dialog = await logIn(page, "vic", "a wrong password");
  await dialog.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
  await picture(page, "login-refused");
  await page.keyboard.press("Escape");
  await eventually("no dialog", async () => (await page.getByRole("dialog").count()) === 0);
  await logIn(page, "vic", PASSWORD);
  await button(page, "Log out").waitFor();
  assert.match(await page.locator(".visitor").innerText(), /vic/);

  // A viewer may not set, and sees nothing that would.
  await seesNoControls(page);
  const [status, { error }] = await change(page, "limits", { node: "ccd01", metric: "disk_percent", warning: 10 });
  assert.equal(status, 403);
  assert.match(error, /vic may view, and this takes the role operate/);
  await picture(page, "operate-viewer");
  await button(page, "Log out").click();

  // An operator drags the warning, sees what it would have made, and sets it.
  await logIn(page, "olga", PASSWORD);
  const line = page.getByRole("slider", { name: "Limit warning > 80 %" });
  await line.waitFor();
  await idle(page);
  const [box, label] = [await page.locator(".u-over").first().boundingBox(), await line.boundingBox()];
  assert(box !== null && label !== null);
  const x = label.x + label.width / 2;
  await page.mouse.move(x, label.y + label.height / 2);
  await page.mouse.down();
  const far = Math.min(60, box.height / 5);
  for (let step = 1; step <= 6; step += 1) await page.mouse.move(x, label.y + label.height / 2 + (far * step) / 6);
  await page.getByText(/ccd01 disk_percent: Warning .* would have made \d+ events/).waitFor();
  await picture(page, "operate-drag");
  await page.mouse.up();
  const limits = page.getByRole("dialog", { name: "Limits of ccd01 disk_percent" });
  await limits.waitFor();
  const dragged = Number(await limits.getByLabel("Warning").inputValue());
  assert(dragged > 50 && dragged < 80, `${dragged}`);
  await limits.getByLabel("Warning").fill("75");
  await limits.getByText("would have made 3 events in the shown time, with the limits of now 2").waitFor();
  await limits.getByLabel("Note").fill("new disks come");
  await picture(page, "operate-limits");
  await limits.getByRole("button", { name: "Set" }).click();
  // The event says it too, sooner or later.
  await page.locator(".toast", { hasText: "ccd01 disk_percent: warning > 75" }).waitFor();
  await page.getByRole("slider", { name: "Limit warning > 75 %" }).waitFor();
  await page.reload();
  await page.getByRole("slider", { name: "Limit warning > 75 %" }).waitFor();
  assert.match(await page.locator(".visitor").innerText(), /olga/, "a reload is no logout");

  // What the hub refuses is said where it was asked.
  await page.getByRole("button", { name: "Limits of disk_percent" }).click();
  await limits.getByLabel("Warning").fill("95");
  await limits.getByLabel("Error").fill("5 parsecs");
  await limits.getByRole("button", { name: "Set" }).click();
  await limits.getByRole("alert").getByText("parsecs").waitFor();
  await limits.getByRole("button", { name: "Cancel" }).click();

  // Acknowledged from an event, muted from the node, each with a note.
  await page.getByRole("button", { name: "Acknowledge ccd01 disk_percent" }).first().click();
  await page.getByRole("dialog").getByLabel("Note").fill("Li moves data");
  await page.getByRole("dialog").getByRole("button", { name: "Set" }).click();
  await page.getByRole("heading", { name: /ccd01 .*known/ }).waitFor();
  await button(page, "Mute…").first().click();
  const mute = page.getByRole("dialog", { name: "Mute ccd01" });
  await mute.getByRole("button", { name: "Set" }).click();
  assert(await mute.isVisible(), "a note is needed");
  await mute.getByLabel("Note").fill("<b>works</b>");
  await mute.getByLabel("For").selectOption({ label: "4 h" });
  await mute.getByRole("button", { name: "Set" }).click();
  await page.getByRole("heading", { name: /ccd01 .*muted/ }).waitFor();

  // All of it in one place, where it is ended.
  await page.getByRole("link", { name: "Operators" }).click();
  const mutes = page.getByRole("region", { name: "Mutes" });
  await mutes.getByText("<b>works</b>").waitFor();
  assert.match(await page.getByRole("region", { name: "Limits that were changed" }).innerText(), /disk_percent.*75.*new disks come.*olga/s);
  assert.match(await page.getByRole("region", { name: "Acknowledged" }).innerText(), /ccd01.*Li moves data.*olga/s);
  await picture(page, "operate-settings");
  await mutes.getByRole("button", { name: /^End/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
  await eventually("no mute", async () => !(await mutes.innerText()).includes("works"));
  await page.getByRole("button", { name: "Override gate disks" }).click();
  await page.getByRole("dialog").getByLabel("Note").fill("a test");
  await page.getByRole("dialog").getByRole("button", { name: "Set" }).click();
  await page.getByRole("button", { name: "End Release disks" }).waitFor();

  // An administrator sees whose keys are believed, and ends that; an operator does not.
  assert.equal(await page.getByRole("region", { name: "Keys of nodes" }).count(), 0);
  await button(page, "Log out").click();
  await logIn(page, "ada", PASSWORD);
  const keys = page.getByRole("region", { name: "Keys of nodes" });
  await page.getByRole("button", { name: "Revoke the key of cam1" }).click();
  await page.getByRole("dialog").getByLabel("Note").fill("sold");
  await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
  await eventually("no key", async () => !(await keys.innerText()).includes("cam1"));

  // In Chinese.
  await button(page, "中文").click();
  await page.getByRole("region", { name: "联锁" }).waitFor();
  await page.goBack();
  await button(page, "静音…").first().waitFor();
  await button(page, "退出").click();
  await eventually("no controls", async () => (await page.getByRole("slider").count()) === 0);
});
