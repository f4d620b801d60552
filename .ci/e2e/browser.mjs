// A person at a browser, for $BROWSER:
//
//   BROWSER="node browser.mjs LOGIN SCREENSHOT" mcpauth login
//
// opens the page that mcpauth hands over in a real Chromium, signs in as LOGIN
// by typing and clicking, agrees, waits for mcpauth's own page and takes a
// picture of it. Its last line of output is the text of that page.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [login, screenshot, address] = process.argv.slice(2);
const patience = 30_000; // ms for each step, on a machine with other work

// A home of its own: what Chromium keeps is no part of what is tested.
const home = mkdtempSync(join(tmpdir(), "e2e-browser-"));
const context = await chromium.launchPersistentContext(join(home, "profile"), {
  executablePath: "/usr/bin/chromium",
  headless: true,
  env: { HOME: home, PATH: process.env.PATH, LANG: "C.UTF-8" },
  args: [
    "--no-sandbox", // CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    // Without these it looks up its maker's hosts, which are out of reach.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // The provider's page asks for a font from elsewhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  ],
});
try {
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(patience);
  await page.goto(address);
  const provider = new URL(page.url()).origin; // the address leads there
  await page.fill('input[name="login"]', login);
  await page.fill('input[name="password"]', "any will do");
  await page.click('button:has-text("Sign-in")');
  await page.click('button:has-text("Continue")');
  await page.waitForURL((url) => url.origin !== provider);
  const text = (await page.innerText("body")).replace(/\s+/g, " ").trim();
  await page.screenshot({ path: screenshot });
  console.log(text);
} finally {
  await context.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 10 });
}
