// The walk of who asks what changed: the history of a document, two versions compared, the document on a day.
// All documents are our own invention.
import { check, same } from "./check.mjs";

const WORD = "Lastensuojelulaitostenvalvontaohjelmakokonaisuussuunnittelutyöryhmämuistio";

export async function fillPast(archive, token) {
	const body = [...Array(30).keys()].map((i) => `Kohta ${i + 1}. Lapset kertoivat arjesta ja ruoka oli lämmintä.`);
	const after = [...body];
	after[3] = "Kohta 4. Lapset kertoivat arjesta & <b>ruoka</b> oli kylmää.";
	after.push(`Uusi loppu: ${WORD} ja \u202Ekäänteinen\u202C.`);
	const meta = {
		units: ["koivula"], type: "memo", language: "fi", date: "2026-02-01", title: "Muistio arjesta", author: "lvv",
		publicity: { class: "public" },
	};
	const ids = {};

	ids.past = (await archive.file(token.maija, meta, body.join("\n\n"), "muistio.txt", "text/plain")).id;
	await archive.version(token.maija, ids.past, { title: `Muistio arjesta, ${WORD}`, date: "2026-02-03" },
		after.join("\n\n"), "muistio.txt", "text/plain");
	ids.pastClosed = (await archive.file(token.maija, {
		...meta, title: "Salainen muistio", case: "koivula-2026", publicity: { class: "secret", ground: "JulkL 24 § 1 mom. 25 k" },
	}, body.join("\n\n"), "salainen.txt", "text/plain")).id;
	await archive.version(token.maija, ids.pastClosed, {}, after.join("\n\n"), "salainen.txt", "text/plain");
	return ids;
}

const path = (r, more, id = r.site.ids.past) => `/fi/documents/${id}${more}`;
const plain = async (r, at) => (await r.page.textContent(at)).replace(/\s+/g, " ");

export const pastTests = {
	async past__history_tells_versions_and_leads_to_a_comparison(r) {
		await r.signIn();
		await r.go(path(r, ""));
		await r.page.click("a:has-text('Asiakirjan historia ja versioiden vertailu')");
		same(await r.page.textContent("h1"), "Historia", "h1");
		const text = await plain(r, "article");
		for (const part of ["Versio 2", "Versio 1", "Maija Malli", "Ensimmäinen versio", "Muistio arjesta", "1.2.2026", "3.2.2026", "Tarkiste"])
			check(text.includes(part), "not on the page:", part);
		await r.sound("history");
		await r.page.selectOption("#from", "2");
		await r.page.selectOption("#to", "1");
		await r.page.click("main button:has-text('Vertaa')");
		same(await r.page.textContent("h1"), "Mikä muuttui versiosta 2 versioon 1", "h1");
	},

	async past__comparison_says_in_words_what_changed(r) {
		await r.signIn();
		await r.go(path(r, "/compare?from=1&to=2"));
		const summary = await plain(r, ".summary");
		check(/\d+ sanaa lisätty, \d+ poistettu\./.test(summary), "no summary of the text:", summary);
		check(summary.includes("Muuttuneet tiedot: Otsikko, Päiväys."), "no summary of the fields:", summary);
		check((await plain(r, ".changes")).includes("3.2.2026"), "the new date");
		same(await r.page.textContent(".difference ins .op >> nth=0"), "lisätty: ", "word of what was added");
		same(await r.page.textContent(".difference del .op >> nth=0"), "poistettu: ", "word of what was removed");
		same(await r.page.locator(".difference b").count(), 0, "markup out of a text");
		check((await r.page.locator(".difference details").count()) > 0, "nothing is folded");
		check(!(await r.page.isVisible(".difference details div >> nth=0")), "what is folded shows");
		check((await r.page.content()).length < 60 * 1024, "too long a page");
		await r.sound("compare");
		await r.page.click(".difference summary >> nth=0");
		check(await r.page.isVisible(".difference details div >> nth=0"), "it does not unfold");
	},

	async past__closed_texts_open_with_a_purpose(r) {
		await r.signIn();
		await r.go(path(r, "/compare?from=1&to=2", r.site.ids.pastClosed));
		same(await r.page.locator(".difference").count(), 0, "a closed text");
		await r.sound("compare-closed");
		await r.page.fill("#case", "EI/1/2026");
		await r.page.click("main .stack button");
		check((await r.page.title()).startsWith("Virhe: "), "title");
		await r.sound("compare-wrong");
		await r.page.fill("#purpose", "Kantelun selvitys");
		await r.page.fill("#case", "LVV/1200/2026");
		await r.page.click("main .stack button");
		check((await r.page.locator(".difference ins").count()) > 0, "it does not open");
		check(!r.page.url().includes("Kantelu"), "the purpose is in the address");
	},

	async past__a_day_leads_to_the_version_of_then(r) {
		await r.signIn();
		await r.go(path(r, "/history"));
		await r.page.fill("#at", "31.2.2026");
		await r.page.click("main button:has-text('Näytä')");
		same(await r.page.inputValue("#at"), "31.2.2026", "what was typed");
		check((await r.page.textContent(".errors")).includes("12.3.2026"), "no help");
		await r.sound("history-wrong-day");
		await r.page.fill("#at", "1.1.2190");
		await r.page.click("main button:has-text('Näytä')");
		same(new URL(r.page.url()).pathname, path(r, "/versions/2"), "the newest");
		check((await r.page.textContent(".note >> nth=0")).includes("Näin asiakirja oli 1.1.2190"), "no banner");
		await r.go(path(r, "?at=2000-01-01"));
		same(new URL(r.page.url()).pathname, path(r, "/versions/1"), "the first");
		check((await r.page.textContent(".note >> nth=0")).includes("ei ollut vielä arkistossa 1.1.2000"), "no banner");
		await r.sound("as-of");
	},
};
