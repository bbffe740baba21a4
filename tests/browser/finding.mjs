// The walk of those who search: how a query was read, other words, suggestions, likeness, saved searches.
// All documents are our own invention.
import { check, same } from "./check.mjs";

export async function fillFinding(archive, token) {
	const file = (metadata, bytes, name, type) =>
		archive.file(token.gunilla, {
			units: ["furuhem"], type: "guidance-visit-memo", language: "sv", date: "2026-04-01", author: "ovph",
			publicity: { class: "public" }, ...metadata,
		}, bytes, name, type);
	const rows = [...Array(12).keys()].map((i) => `Barnet nummer ${i} talade om vardagen i trädgården och om veckans matlista.`);
	const ids = {};

	ids.bridge = (await file({ title: "Besök: vardagen på Furuhem" },
		"Vården utom hemmet ordnas enligt klientplanen. Påhittat exempel.", "besok.txt", "text/plain")).id;
	ids.first = (await file({ title: "Samtal i trädgården, april", date: "2026-04-02" }, rows.join("\n\n"), "samtal.txt", "text/plain")).id;
	ids.second = (await file({ title: "Samtal i trädgården, maj", date: "2026-05-02" },
		`${rows.join("\n\n")}\n\nTillägg.`, "samtal.txt", "text/plain")).id;
	ids.dumb = (await file({ title: "Bild av gården", date: "2026-04-03" },
		Uint8Array.from([0, 1, 2, 3, 254, 255, 7]), "bild.bin", "application/octet-stream")).id;
	return ids;
}

const hits = (r) => r.page.locator(".hit").count();

export const findingTests = {
	async finding__says_how_the_query_was_read_and_what_was_meant(r) {
		await r.signIn();
		await r.go(`/fi/?q=${encodeURIComponent('yövalvontta yksikkö:Koivula "')}`);
		const text = await r.page.textContent(".results");
		check(text.includes("Haku luettiin näin: "), "not how it was read");
		check(text.includes("Lainausmerkki jäi sulkematta"), "no note");
		await r.sound("read");
		check((await r.page.textContent(".meant")).includes("yövalvonta"), "not what was meant");
		await r.page.click(".meant a");
		check((await hits(r)) > 0, "nothing of what was meant");
	},

	async finding__another_language_says_why(r) {
		await r.signIn();
		await r.go("/fi/?q=sijaishuolto&unit=furuhem");
		same(await r.page.textContent(".hit h3 >> nth=0"), "Besök: vardagen på Furuhem", "first hit");
		check((await r.page.textContent(".hit")).includes("Löytyi ilmauksella ”vård utom hemmet”, joka vastaa hakusanaa ”sijaishuolto”."),
			"not why:", await r.page.textContent(".hit"));
		same(await r.page.textContent(".snippet mark"), "Vården utom hemmet", "mark");
		await r.sound("bridge");
		await r.page.click(".languages a[lang=sv]");
		check((await r.page.textContent(".hit")).includes("Hittades med uttrycket ”vård utom hemmet”"), "in Swedish");
		await r.page.click(".languages a[lang=en]");
		check((await r.page.textContent(".hit")).includes("Found by “vård utom hemmet”"), "in English");
	},

	async finding__a_filter_keeps_the_place_and_says_how_much_is_left(r) {
		await r.signIn();
		await r.go("/fi/");
		r.requests = [];
		await r.page.focus(".facets [data-keep=unit]:has-text('Kivikonrinteen lastenkoti')");
		await r.page.keyboard.press("Enter");
		await r.page.waitForURL(/unit=kivikko/);
		same(await hits(r), 20, "hits");
		if (!r.script) return;
		await r.page.waitForFunction(() => document.activeElement.dataset.keep === "unit");
		check((await r.page.textContent("#found-now")).includes("Tulokset päivittyivät: 24"), "not said:", await r.page.textContent("#found-now"));
		check((await r.page.title()).startsWith("24 "), "title", await r.page.title());
		check(await r.page.evaluate(() => document.activeElement.classList.contains("chip")), "the focus is not on the chip");
		await r.sound("filtered-in-place");
		await r.page.focus(".chip");
		await r.page.keyboard.press("Enter");
		await r.page.waitForFunction(() => !location.search.includes("unit="));
		check(await r.page.evaluate(() => document.activeElement !== document.body), "the focus is lost");
		await r.page.goBack();
		await r.page.waitForFunction(() => document.querySelector(".chip"));
		check(!r.requests.some((url) => /\/web\/.*\.(css|js)/.test(url)), "a page was loaded anew:", r.requests);
		await r.page.keyboard.press("Home");
		await r.page.fill("#q", "selv");
		await r.page.keyboard.type("i");
		await r.page.waitForSelector("#suggestions option", { state: "attached" });
	},

	async finding__nothing_leads_to_a_wider_search(r) {
		await r.signIn();
		await r.go(`/fi/?q=${encodeURIComponent('+"selvitys kameli" +osa')}&unit=kivikko`);
		same(await hits(r), 0, "hits");
		await r.sound("wider");
		await r.page.click(".wider a:has-text('Hae sanoja erikseen')");
		same(await r.page.inputValue("#q"), "selvitys kameli osa", "the words alone");
		check((await hits(r)) > 0, "nothing");
	},

	async finding__the_result_is_a_table_too(r) {
		await r.signIn();
		await r.go("/fi/?q=selvitys&unit=kivikko");
		const href = await r.page.getAttribute(".table-link a", "href");
		const answer = await r.context.request.get(r.site.archive.base + href);
		same(answer.status(), 200, "status");
		same(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present", "type");
		const rows = (await answer.text()).split("\r\n");
		check(rows[0].startsWith('\uFEFF"Otsikko","Asiakirjan laji"') || rows[0].startsWith('\uFEFF"Otsikko",'), "head", rows[0]);
		same(rows.length, 26, "rows"); // head, 24 hits, an empty end
		check(rows[1].includes('"Kivikonrinteen lastenkoti"') && rows[1].includes("/fi/documents/"), "a row", rows[1]);
	},

	async finding__a_missing_text_is_said_with_its_reason(r) {
		await r.signIn();
		await r.go("/sv/?q=g%C3%A5rden&unit=furuhem");
		const hit = r.page.locator(".hit", { hasText: "Bild av gården" });
		check((await hit.textContent()).includes("Handlingen har ingen text"), "no word of it:", await hit.textContent());
		await r.sound("no-text");
	},

	async finding__page_of_the_match_and_sort(r) {
		await r.signIn();
		await r.go("/fi/?q=y%C3%B6valvonta&unit=koivula&type=inspection-report");
		check(/Sivu \d+:/.test(await r.page.textContent(".snippet")), "no page of the match");
		await r.go("/fi/?q=selvitys");
		await r.refine(".sort a:has-text('Uusin ensin')");
		same(new URL(r.page.url()).searchParams.get("sort"), "date", "sort");
		same(await r.page.textContent(".sort [aria-current]"), "Uusin ensin", "the chosen order");
		await r.sound("sorted");
	},

	async finding__alike_documents_and_more_like_this(r) {
		await r.signIn();
		await r.go("/fi/?q=%22tr%C3%A4dg%C3%A5rden%22&unit=furuhem");
		same(await hits(r), 2, "hits");
		await r.page.click(".hit:has-text('april') a:has-text('Samankaltaisia')");
		check((await r.page.textContent(".results")).includes("Samtal i trädgården, maj"), "not what is like it");
		check((await r.page.textContent(".chips")).includes("Samankaltainen kuin"), "no chip");
		await r.sound("like");
		await r.go("/fi/?q=%22tr%C3%A4dg%C3%A5rden%22&unit=furuhem");
		await r.page.click(".search summary");
		await r.page.check("#group");
		await r.page.click("form.search button");
		same(await hits(r), 1, "groups");
		check((await r.page.textContent(".hit")).includes("1 lähes samanlainen asiakirja:"), "not that there is another");
		await r.sound("grouped");
	},

	async finding__old_versions_when_asked(r) {
		await r.signIn();
		await r.go("/fi/?unit=koivula&type=inspection-report");
		same(await hits(r), 1, "newest");
		await r.page.click(".search summary");
		await r.page.check("#versions");
		await r.page.click("form.search button");
		same(await hits(r), 2, "versions");
	},

	async finding__help_is_at_hand(r) {
		await r.signIn();
		for (const [language, word] of [["fi", "rajoit*"], ["sv", "begräns*"], ["en", "restrict*"]]) {
			await r.go(`/${language}/`);
			await r.page.click(".search details:last-of-type summary");
			check((await r.page.textContent(".search dl")).includes(word), "no", word);
		}
		await r.sound("help");
	},

	async suggestions__come_when_typing_pauses(r) {
		if (!r.script) return;
		await r.signIn();
		await r.go("/fi/");
		await r.page.locator("#q").pressSequentially("yövalvonta Koiv");
		await r.page.waitForSelector("#suggestions option", { state: "attached" });
		const values = await r.page.locator("#suggestions option").evaluateAll((all) => all.map((o) => o.value));
		check(values.includes("yövalvonta unit:koivula"), "suggestions", values);
		await r.page.fill("#q", "yövalvonta unit:koivula");
		await r.page.keyboard.press("Enter");
		await r.page.waitForURL(/q=/);
		check((await hits(r)) > 0, "nothing found by a suggestion");
	},

	async saved__search_is_kept_told_and_removed(r) {
		const name = `Pihat <b>${r.name}</b>`, word = `lumikko${r.name.replace(/\W/g, "")}`;
		const file = (n) => r.site.archive.file(r.site.token.maija, {
			units: ["savela"], type: "memo", language: "fi", date: "2025-03-01", title: `Muistio pihasta ${n}`,
			publicity: { class: "public" }, author: "lvv",
		}, `Pihalla asuu ${word}. Keksitty esimerkki ${n}.`, "muistio.txt", "text/plain");
		await file(1);
		await r.site.archive.indexed(r.site.token.paula);
		await r.signIn("antero");
		await r.go("/fi/saved");
		check((await r.page.textContent("main")).includes("Sinulla ei ole tallennettuja hakuja"), "a list of nothing");
		await r.sound("saved-none");
		await r.go(`/fi/?q=${word}&type=memo&from=1.2.2025`);
		await r.page.click(".save summary");
		same(await r.page.inputValue("#name"), word, "the name that is offered");
		await r.page.fill("#name", " ");
		await r.page.click(".save button");
		check((await r.page.textContent(".errors")).includes("Kirjoita haulle nimi"), "no error");
		await r.sound("save-wrong");
		await r.page.fill("#name", name);
		await r.page.click("main button");
		check((await r.page.textContent(".note")).includes("Haku on tallennettu"), "not that it is saved");
		const text = await r.page.textContent(".hit");
		for (const part of [name, word, "Ei uutta", "Asiakirjan laji: muistio", "1.2.2025"])
			check(text.includes(part), "not in the list:", part, text);
		await r.sound("saved");
		await file(2);
		await r.site.archive.indexed(r.site.token.paula);
		await r.go("/fi/saved");
		check((await r.page.textContent(".hit")).includes("1 uusi asiakirja"), "not what is new");
		await r.page.click(".hit h2 a");
		same(await r.page.textContent("h1"), `Tallennettu haku: ${name}`, "h1");
		same(await hits(r), 2, "hits");
		same(await r.page.locator(".hit:has(.tag-new) h3").textContent(), "Muistio pihasta 2", "the new one");
		await r.sound("saved-one");
		const own = r.page.url();
		await r.go("/sv/saved");
		check((await r.page.textContent(".hit")).includes("Inget nytt"), "still new");
		await r.context.clearCookies();
		await r.signIn("sanna");
		same((await r.page.goto(own)).status(), 404, "somebody else's");
		await r.context.clearCookies();
		await r.signIn("antero");
		await r.go("/fi/saved");
		await r.page.click(".hit button");
		check((await r.page.textContent("main")).includes("Haku on poistettu."), "not that it is removed");
		same((await r.page.goto(own)).status(), 404, "a removed one");
	},

	async saved__form_of_another_site_saves_nothing(r) {
		await r.signIn("antero");
		const post = (path, form) => r.context.request.post(r.site.archive.base + path, { form, maxRedirects: 0 });
		same((await post("/fi/saved", { name: "x", q: "y", form: "0".repeat(32) })).status(), 422, "save");
		same((await post(`/fi/saved/${"0".repeat(32)}/remove`, { form: "0".repeat(32) })).status(), 403, "remove");
	},
};
