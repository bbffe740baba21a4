// The walk of an administrator: missing texts, OCR, synonyms. All documents are our own invention.
import { check, same } from "./check.mjs";

export const adminTests = {
	async admin__is_for_administrators(r) {
		await r.signIn("maija");
		same(await r.page.locator(".menu a:has-text('Ylläpito')").count(), 0, "in the menu");
		for (const path of ["/fi/admin", "/fi/admin/synonyms"])
			same((await r.go(path)).status(), 404, path);
	},

	async admin__missing_texts_are_told_and_tried_again(r) {
		await r.signIn("paula");
		await r.page.click(".menu a:has-text('Ylläpito')");
		const text = await r.page.textContent("main");
		for (const part of ["Kaikki arkistoitu on haettavissa", "Puuttuvat tekstit", "Arkki ei lue", "Bild av gården"])
			check(text.includes(part), "not on the page:", part);
		await r.sound("admin");
		await r.page.click(".hit:has-text('Bild av gården') button");
		check((await r.page.textContent(".note")).includes("1 teksti yritetään poimia uudelleen."), "not that it is tried");
		await r.site.archive.indexed(r.site.token.paula);
		await r.page.waitForTimeout(1500);
		await r.go("/sv/admin");
		await r.page.click("table button");
		check((await r.page.textContent(".note")).includes("på nytt"), "not that all are tried");
		await r.page.waitForTimeout(1500);
	},

	async admin__ocr_is_paused_and_goes_on(r) {
		await r.signIn("paula");
		await r.go("/en/admin");
		await r.page.click("button:has-text('Pause recognition')");
		check((await r.page.textContent("main")).includes("Recognition is paused"), "not paused");
		await r.sound("admin-paused");
		await r.page.click("button:has-text('Resume recognition')");
		same(await r.page.locator("button:has-text('Pause recognition')").count(), 1, "goes on");
	},

	async synonyms__are_edited_and_in_force(r) {
		const word = `hupsis${r.name.replace(/[^a-z]/g, "")}x${"abcdefghij"[r.name.length]}`;
		const line = `${word}, toinen ${word}; vård utom hemmet; out of home care # keksitty`;
		await r.signIn("paula");
		await r.go("/fi/admin/synonyms");
		await r.page.fill("#lines", `yksinäinen\n${line}`);
		await r.page.click("main button");
		check((await r.page.textContent(".errors")).includes("Tarkista rivit"), "an entry of one word is taken");
		check((await r.page.inputValue("#lines")).includes(line), "what was typed is gone");
		await r.sound("synonyms-wrong");
		await r.page.fill("#lines", line);
		await r.page.fill("#reason", `Kokeilu ${r.name}`);
		await r.page.click("main button");
		check((await r.page.textContent(".note")).includes("heti käytössä"), "not saved");
		same((await r.page.inputValue("#lines")).trim(), line, "the line");
		check((await r.page.textContent(".versions li >> nth=0")).includes(`Kokeilu ${r.name}`), "no version of it");
		await r.sound("synonyms");
		await r.go(`/fi/?q=${word}&unit=furuhem`);
		check((await r.page.textContent(".hit")).includes(`joka vastaa hakusanaa ”${word}”`), "not in force");
	},

	async synonyms__changed_meanwhile_is_told(r) {
		await r.signIn("paula");
		await r.go("/sv/admin/synonyms");
		const form = await r.page.inputValue("main [name=form]");
		const post = (fields) => r.context.request.post(`${r.site.archive.base}/sv/admin/synonyms`, { form: fields, maxRedirects: 0 });
		const late = await post({ form, base: "999", lines: "a b; c d", shipped: "true" });
		same(late.status(), 422, "status");
		check((await late.text()).includes("Någon har ändrat"), "no word of it");
		same((await post({ form: "0".repeat(32), base: "0", lines: "a b; c d" })).status(), 422, "another form");
	},
};
