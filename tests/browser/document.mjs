// The page of a document: purpose kept for the session, hits in the text, seal, readers, citation.
import { check, same } from "./check.mjs";

export const documentTests = {
	async purpose__is_kept_and_ended(r) {
		await r.signIn("sanna");
		await r.go(`/fi/documents/${r.site.ids.secret}`);
		await r.page.fill("#purpose", "Koivulan seuranta");
		await r.page.click(".closed button");
		check((await r.page.textContent(".kept")).includes("LVV/1200/2026"), "no word of the case");
		await r.go(`/fi/documents/${r.site.ids.secret}`);
		check((await r.page.textContent(".text")).includes("Tapio Keksitty"), "asked again");
		await r.sound("kept");
		await r.go("/sv/");
		check((await r.page.textContent(".kept")).includes("Du läser för ärendet LVV/1200/2026"), "in Swedish");
		await r.go(`/fi/documents/${r.site.ids.secret}`);
		await r.page.click(".kept button");
		same(await r.page.locator(".kept").count(), 0, "still said");
		same(new URL(r.page.url()).pathname, `/fi/documents/${r.site.ids.secret}`, "where it leads");
		same(await r.page.locator("#purpose").count(), 1, "not asked again");
	},

	async hits__lead_from_one_to_the_next(r) {
		await r.signIn();
		await r.go("/fi/?q=y%C3%B6vuoro");
		await r.page.click(".hit h3 a:has-text('Tarkastuskertomus: Koivulan')");
		same(new URL(r.page.url()).searchParams.get("q"), "yövuoro", "the query");
		const n = await r.page.locator(".text mark").count();
		check(n > 1, "hits", n);
		await r.page.click(".hits-found a");
		same(new URL(r.page.url()).hash, "#hit-1", "the first");
		await r.page.click(".next-hit >> nth=0");
		same(new URL(r.page.url()).hash, "#hit-2", "the next");
		await r.sound("hits");
	},

	async seal__is_checked_in_plain_words(r) {
		await r.signIn();
		await r.go(`/fi/documents/${r.site.ids.report}`);
		await r.page.click("a:has-text('Tarkista sinetti')");
		check((await r.page.textContent("main")).includes("Sinetti on ehjä."), "the seal");
		await r.sound("seal");
	},

	async readers__are_told_by_rule(r) {
		await r.signIn();
		await r.go(`/fi/documents/${r.site.ids.secret}`);
		await r.page.click("a:has-text('Kuka saa lukea')");
		check((await r.page.textContent("main")).includes("Muut, jotka saavat lukea"), "no groups");
		await r.sound("readers");
	},

	async citation__button_is_the_scripts(r) {
		await r.signIn();
		await r.go(`/fi/documents/${r.site.ids.report}`);
		same(await r.page.isVisible("[data-copy]"), r.script, "the button");
		check((await r.page.textContent("#citation")).includes("LVV/1200/2026, versio 2."), "the citation");
	},
};
