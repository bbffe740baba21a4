// The picture of README.md: a search in the demo archive, as `make screenshot` asks for it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { TOP } from "./archive.mjs";

const OUT = join(TOP, "api/web/screenshot.png");
const folder = mkdtempSync(join(tmpdir(), "arkki-screenshot-"));
const demo = spawn(join(TOP, "tools/run-demo"), {
	env: { ...process.env, ARKKI_DATA: join(folder, "demo"), ARKKI_LISTEN: "127.0.0.1:0" },
	stdio: ["ignore", "pipe", "inherit"],
});

try {
	let said = "";
	const base = await new Promise((done, fail) => {
		demo.stdout.setEncoding("utf8").on("data", (text) => {
			said += text;
			const at = said.match(/^listening on (http:\S+)/m);
			if (at) done(at[1]);
		});
		demo.on("exit", (code) => fail(new Error(`the demo ended with ${code}: ${said.slice(-300)}`)));
	});
	const token = said.match(/maija:[^]*?(arkki_\S+)/)[1];
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
	const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
	await page.goto(`${base}/en/sign-in`);
	if (!(await page.isVisible("#token"))) await page.click(".token summary");
	await page.fill("#token", token);
	await page.click(".token button");
	// what was filed a moment ago is still being read
	for (let tries = 0; tries < 30; tries++) {
		await page.goto(`${base}/en/?q=${encodeURIComponent("Koivula yövuoro")}`);
		if (await page.locator(".snippet mark").count()) break;
		await page.waitForTimeout(1000);
	}
	await page.screenshot({ path: OUT });
	await browser.close();
	console.log(`api/web/screenshot.png: ${Math.ceil(statSync(OUT).size / 1024)} KB`);
} finally {
	demo.kill("SIGTERM");
	if (demo.exitCode === null) await new Promise((done) => demo.on("exit", done));
	rmSync(folder, { recursive: true, force: true });
}
