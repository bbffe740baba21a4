// The walk of a county's supervisor before a visit: the unit, its registration, the latest report and what was ordered,
// and a pack to take along. All documents are our own invention.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, same } from "./check.mjs";

export async function fillUnits(archive, token) {
	const file = (metadata, text, name = "asiakirja.txt") => archive.file(token.maija, {
		units: ["harjumaki"], language: "fi", publicity: { class: "public" }, author: "lvv", ...metadata,
	}, text, name, "text/plain");
	const ids = {};

	ids.found = (await file({ type: "inspection-report", date: "2026-04-14", visitDate: "2026-04-02",
		title: "Tarkastuskertomus: Harjumäen pienryhmäkodin yövalvonta" },
	"Yövuorossa oli yksi ohjaaja.\n\nKeksitty esimerkki.", "tarkastuskertomus.txt")).id;
	ids.older = (await file({ type: "memo", date: "2024-09-01", title: "Ohjauskäynnin muistio" }, "Keskustelu vuoden alusta.")).id;
	ids.plan = (await file({ type: "self-supervision-plan", date: "2025-01-15", title: "Omavalvontasuunnitelma" },
		"Henkilöstöä on riittävästi.\n\nYksi ohjaaja yöllä.")).id;
	await archive.version(token.maija, ids.plan, { date: "2026-03-01" },
		"Henkilöstöä on riittävästi.\n\nKaksi ohjaajaa yöllä.", "suunnitelma.txt", "text/plain");
	for (const [text, deadline] of [["Yövuoroon on lisättävä toinen ohjaaja.", "2026-05-31"], ["Päivitä omavalvontasuunnitelma.", "2031-12-31"]])
		await archive.send(token.maija, "/v1/orders", {
			method: "POST", headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ document: ids.found, text, deadline, ground: "laki 741/2023, 39 §" }),
		});
	return { unit: ids };
}

const plain = async (r, where = "article") => (await r.page.textContent(where)).replace(/\s+/g, " ");

// The program that reads it, or nothing where it is not installed.
function pdfText(bytes) {
	const folder = mkdtempSync(join(tmpdir(), "arkki-pack-"));
	try {
		const path = join(folder, "pack.pdf");
		writeFileSync(path, bytes);
		return execFileSync("pdftotext", [path, "-"], { encoding: "utf8" });
	} catch (e) {
		if (e.code === "ENOENT") return null;
		throw e;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

async function taken(r, button) {
	const [download] = await Promise.all([r.page.waitForEvent("download"), r.page.click(button)]);
	return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

export const unitsTests = {
	async units__a_supervisor_finds_the_unit_and_what_was_ordered(r) {
		await r.signIn();
		await r.go("/fi/");
		await r.page.click(".menu a:has-text('Yksiköt')");
		await r.sound("units");
		await r.page.fill("#name", "harjumäe");
		await r.page.click("form.search button");
		same(await r.page.locator(".hit").count(), 1, "units of that name");
		await r.sound("units-found");
		await r.page.click(".hit h2 a");
		same(await r.page.textContent("h1"), "Harjumäen pienryhmäkoti", "h1");
		const text = await plain(r);
		for (const part of ["Palveluntuottaja", "Paikkoja", "Avoimet määräykset", "Yövuoroon on lisättävä toinen ohjaaja.",
			"Määräaika 31.5.2026. Myöhässä", "Määräaika 31.12.2031. Aikaa", "Peruste: laki 741/2023, 39 §",
			"Uusimmat kertomukset ja päätökset", "Tarkastuskertomus: Harjumäen pienryhmäkodin yövalvonta", "Käynti"])
			check(text.includes(part), "not on the page:", part);
		check((await r.page.content()).length < 60 * 1024, "too long a page");
		await r.sound("unit");
		await r.page.emulateMedia({ media: "print" });
		check(!(await r.page.isVisible(".pack")) && (await r.page.isVisible("#timeline")), "what is printed");
		await r.page.emulateMedia({ media: "screen" });
		await r.page.click(".reports a >> nth=0");
		await r.page.reload();
		check((await plain(r)).includes("Yövuorossa oli yksi ohjaaja."), "the latest report");
	},

	async units__timeline_is_filtered_without_script(r) {
		await r.signIn();
		await r.go("/fi/units/harjumaki");
		same((await r.page.locator(".year").allTextContents()).join(), [...new Set(await r.page.locator(".year").allTextContents())].join(), "years");
		await r.page.selectOption("#kind", "memo");
		await r.page.click(".kinds button");
		same(await r.page.locator(".event").count(), 1, "events of that type");
		check((await r.page.textContent(".event")).includes("Ohjauskäynnin muistio"), "which");
		same(await r.page.inputValue("#kind"), "memo", "what was chosen");
		await r.sound("unit-filtered");
		await r.go("/sv/units/harjumaki");
		check((await plain(r)).includes("Öppna förelägganden"), "in Swedish");
		await r.sound("unit-sv");
	},

	async units__a_pack_is_taken_along(r) {
		await r.signIn();
		await r.go("/fi/units/harjumaki");
		const pdf = await taken(r, "button[value=pdf]");
		check(/^kayntipaketti-harjumaki-[\d-]+\.pdf$/.test(pdf.name), pdf.name);
		same(pdf.bytes.subarray(0, 5).toString(), "%PDF-", "a PDF");
		const text = pdfText(pdf.bytes);
		for (const part of text === null ? [] : ["Yövuoroon on lisättävä toinen ohjaaja.", "Kaksi ohjaajaa yöllä.", "Yövuorossa oli yksi ohjaaja."])
			check(text.includes(part), "not in the pack:", part);
		const zip = await taken(r, "button[value=zip]");
		same(zip.bytes.subarray(0, 2).toString(), "PK", "a ZIP");
		await r.page.click("a:has-text('ilmoita käyttötarkoitus')");
		await r.sound("pack");
		await r.page.click("button[value=pdf]");
		check((await r.page.title()).startsWith("Virhe: "), "title");
		check((await r.page.textContent(".errors")).includes("Pakettia ei tehty"), "error summary");
		await r.sound("pack-wrong");
	},
};
