// Uploads that go on where they stopped: paused, without a network, and after a reload. Without a script the form is as every form.
import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { check, same } from "./check.mjs";

const MIB = 1 << 20;
// A file on the disk: what is handed over in memory takes the browser long.
const bytes = (name, size) => {
	const path = join(mkdtempSync(join(tmpdir(), "arkki-uploads-")), name);
	writeFileSync(path, Buffer.concat([Buffer.from([0, 1, 2]), randomBytes(size - 3)]));
	return path;
};
const row = (r, name) => r.page.locator(".uploads > li", { hasText: name });
const state = async (r, name) => row(r, name).locator("[data-state]").textContent();

async function until(what, why) {
	for (let i = 0; i < 600; i++) {
		if (await what()) return;
		await new Promise((done) => setTimeout(done, 100));
	}
	throw new Error(`not in time: ${why}`);
}

// Each PATCH waits for leave(); so that a test sees what is between them.
async function holdPieces(r) {
	const waiting = [];
	await r.page.route("**/fi/uploads/*", async (route) => {
		if (route.request().method() === "PATCH") await new Promise((leave) => waiting.push(leave));
		await route.continue().catch(() => {});
	});
	return {
		next: async () => { await until(() => waiting.length, "a piece"); waiting.shift()(); },
		all: async () => { await r.page.unroute("**/fi/uploads/*"); for (const leave of waiting.splice(0)) leave(); },
	};
}

export const uploadTests = {
	async uploads__are_paused_resumed_and_survive_a_reload(r) {
		if (!r.script) return;
		await r.signIn();
		await r.go("/fi/file/new?unit=koivula");
		const file = bytes(`pitkä "nimi" ${r.name} <b>.bin`, 17 * MIB);
		const pieces = await holdPieces(r);

		await r.page.setInputFiles("#files", [file, bytes("toinen.bin", 1000)]);
		await pieces.next();
		await row(r, "pitkä").locator("[data-pause]").click();
		check((await state(r, "pitkä")).startsWith("Keskeytetty"), await state(r, "pitkä"));
		check((await r.page.textContent("[data-upload-say]")).includes("Keskeytetty"), "is said aloud");
		r.requests.length = 0; // those of the uploads
		await r.sound("uploads-paused");
		await pieces.all();
		await until(async () => (await state(r, "toinen")).startsWith("Siirretty kokonaan"), "the other one");
		await row(r, "toinen").locator("[data-remove]").click();
		same(await row(r, "toinen").count(), 0, "removed");
		r.page.once("dialog", (d) => d.accept());
		await r.page.reload();
		same(await r.page.locator(".uploads > li").count(), 0, "after the reload");
		const sent = [];
		r.page.on("request", (q) => /uploads/.test(q.url()) && sent.push(q.method()));
		await r.page.setInputFiles("#files", [file]);
		await until(async () => (await state(r, "pitkä")).startsWith("Siirretty kokonaan"), "all of it");
		check(!sent.includes("POST"), "it goes on where it was", sent);
		r.requests.length = 0; // those of the uploads
		await r.sound("uploads-done");
		await Promise.all([r.page.waitForURL(/\/file\/[0-9a-f]{32}\?/), r.page.click("main form.upload p.act button")]);
		check(r.page.url().includes("unit=koivula"), "keeps the unit", r.page.url());
	},

	async uploads__go_on_when_the_network_is_back(r) {
		if (!r.script) return;
		await r.signIn();
		await r.go("/fi/file/new?unit=koivula");
		const pieces = await holdPieces(r);
		await r.page.setInputFiles("#files", [bytes(`verkko ${r.name}.bin`, 9 * MIB)]);
		await pieces.next();
		await until(async () => (await state(r, "verkko")).includes("8,0 MB"), "a piece");
		await r.context.setOffline(true);
		await pieces.all();
		await until(async () => (await state(r, "verkko")).startsWith("Yhteys katkesi"), "the loss is told");
		await r.context.setOffline(false);
		await until(async () => (await state(r, "verkko")).startsWith("Siirretty kokonaan"), "all of it");
		r.wrong.length = 0; // the browser says that requests failed
	},
};
