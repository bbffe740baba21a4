// The walk of those who may not have all: the public rendition, and what opens for a purpose.
import { check, same } from "./check.mjs";

const SECRET_WORDS = ["Tapio", "nukkuva", "Epäkohtailmoitus", "ilmoitus-tapio"];
const ORIGINAL_WORDS = ["Pihlajan huoneessa", "kahden lapsen", "vastine-koko", "sisältää", "Maija Malli", "LVV/1200/2026"];

export async function fillRights(archive, token) {
	const about = { units: ["koivula"], case: "koivula-2026", language: "fi", author: "lvv" };
	const secret = await archive.file(token.maija, {
		...about, type: "concern-notice", date: "2026-01-22", title: "Epäkohtailmoitus: nukkuva vuoro",
		publicTitle: "Ilmoitus", publicity: { class: "secret", ground: "JulkL 24 § 1 mom. 25 k" },
	}, "Ilmoittaja Tapio Keksitty kertoi nukkuvasta vuorosta. Kalliokielo.", "ilmoitus-tapio.txt", "text/plain");
	const partly = await archive.file(token.maija, {
		...about, type: "hearing-reply", date: "2026-04-16", title: "Vastine, sisältää lapsen asioita",
		publicTitle: "Vastine", publicity: { class: "partly-secret" },
	}, "Kalliokielo. Pihlajan huoneessa oli kahden lapsen riita.", "vastine-koko.txt", "text/plain");
	await archive.send(token.maija, `/v1/documents/${partly.id}/versions/1/renditions/public`, {
		method: "PUT", body: "Kalliokielo. [Peitetty]\n",
		headers: { "Content-Type": "text/plain", "Content-Disposition": 'inline; filename="vastine-julkinen.txt"' },
	});
	return { secret: secret.id, partly: partly.id };
}

async function without(r, words, what) {
	const page = await r.page.content();
	for (const word of words) check(!page.includes(word), what, "tells", word);
}

export const rightsTests = {
	async rendition__is_all_that_a_placer_sees(r) {
		await r.signIn("helmi");
		await r.go(`/fi/documents/${r.site.ids.partly}`);
		await without(r, ORIGINAL_WORDS, "the page");
		const text = await r.page.textContent("article");
		for (const part of ["Vastine", "julkinen kappale", "[Peitetty]", "vastine-julkinen.txt"])
			check(text.includes(part), "not on the page:", part);
		await r.sound("rendition");
		const href = await r.page.getAttribute(".file a.button", "href");
		const file = await r.context.request.get(r.site.archive.base + href);
		same(await file.text(), "Kalliokielo. [Peitetty]\n", "the file");
		await r.page.click(".languages a[lang=sv]");
		check((await r.page.textContent("article")).includes("offentliga version"), "in Swedish");
		await r.go("/fi/?q=kalliokielo");
		same(await r.page.locator(".hit").count(), 1, "hits");
		check((await r.page.textContent(".hit")).includes("julkinen kappale"), "the hit is not marked");
		await without(r, [...ORIGINAL_WORDS, ...SECRET_WORDS], "the search");
		await r.sound("rendition-hit");
	},

	async rendition__is_linked_from_the_original(r) {
		await r.signIn("sanna");
		await r.go(`/fi/documents/${r.site.ids.partly}`);
		check((await r.page.textContent(".text")).includes("kahden lapsen"), "the text");
		const href = await r.page.getAttribute(".other-file a", "href");
		check((await (await r.context.request.get(r.site.archive.base + href)).text()).includes("[Peitetty]"), "the link");
		await r.sound("original");
	},

	async secret__opens_for_a_purpose_and_a_case(r) {
		await r.signIn("sanna");
		await r.go(`/fi/documents/${r.site.ids.secret}`);
		await without(r, ["Tapio", "ilmoitus-tapio", "SHA-256", "/versions/1/file"], "the closed page");
		same(await r.page.inputValue("#case"), "LVV/1200/2026", "the case that is offered");
		await r.sound("closed");
		await r.page.fill("#purpose", "Koivulan <b>yövalvonnan</b> seuranta");
		await r.page.click(".closed button");
		check((await r.page.textContent(".text")).includes("Tapio Keksitty"), "the text");
		check((await r.page.textContent(".note")).includes("Koivulan <b>yövalvonnan</b> seuranta"), "what was stated");
		same(new URL(r.page.url()).search, "", "the purpose in the address");
		await r.sound("opened");
		const [answer] = await Promise.all([r.page.waitForEvent("response"), r.page.click(".file a.button >> nth=0")]);
		same(answer.status(), 200, "the file");
		same(new URL(answer.url()).search, "", "the purpose in the address of the file");
		check((await r.page.textContent("body")).includes("Tapio Keksitty"), "the file's text");
		await r.go(`/fi/documents/${r.site.ids.secret}`);
		check((await r.page.textContent(".text")).includes("Tapio Keksitty"), "the next look asks again");
		await r.page.click(".kept button");
		await without(r, ["Tapio"], "the look after the end");
	},

	async secret__what_is_wrong_is_said_at_its_field(r) {
		await r.signIn("sanna");
		await r.go(`/fi/documents/${r.site.ids.secret}`);
		await r.page.fill("#case", "LVV/1518/2026");
		await r.page.click(".closed button");
		same(await r.page.locator(".errors li").count(), 2, "a case that she does not see is none");
		await r.page.fill("#case", "PIRHA/88/2026");
		await r.page.click(".closed button");
		same(await r.page.locator(".errors li").count(), 1, "errors");
		await r.page.fill("#case", "LVV/1518/2026");
		await r.page.fill("#purpose", "Seuranta");
		await r.page.click(".closed button");
		check((await r.page.textContent(".errors")).includes("Tarkista asianumero"), "no word of the case");
		check((await r.page.title()).startsWith("Virhe: "), "title");
		same(await r.page.inputValue("#purpose"), "Seuranta", "what was typed");
		same(await r.page.getAttribute("#case", "aria-invalid"), "true", "the field");
		same(await r.page.locator("#purpose[aria-invalid]").count(), 0, "the right field");
		await without(r, ["Tapio"], "the refusal");
		await r.sound("closed-wrong");
		await r.page.click(".errors a");
		same(await r.page.evaluate(() => document.activeElement.id), "case", "where the error leads");
	},

	async secret__search_says_why_there_is_no_excerpt(r) {
		await r.signIn("sanna");
		await r.go("/fi/?q=kalliokielo&type=concern-notice");
		check((await r.page.textContent(".hit")).includes("ei näytetä otetta"), "no word of it");
		await without(r, ["Tapio"], "the search");
		await r.sound("closed-hit");
	},
};
