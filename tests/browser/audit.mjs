// The walk of the Ombudsman's auditor: who did what, who read and who did not, as it was, integrity, evidence to take along.
// All documents and people are our own invention.
import { check, same } from "./check.mjs";

const HOSTILE = 'Oma aloite <img src=x onerror=alert(1)> "\u202Esuunta" الغرض';

async function readByMany(site) {
	const read = (user, headers = {}) =>
		site.archive.send(site.token[user], `/v1/documents/${site.ids.report}`, { headers });

	await read("antero", { "Arkki-Purpose": encodeURIComponent(HOSTILE), "Arkki-Case": "koivula-2026" });
	await read("sanna");
	await read("sanna");
}

export const auditTests = {
	async audit__is_not_there_for_others(r) {
		await r.signIn("maija");
		same(await r.page.locator(".menu a:has-text('Tarkastus')").count(), 0, "in the menu");
		same((await r.go("/fi/audit")).status(), 404, "status");
		check((await r.page.textContent("h1")).includes("Ei löydy"), "h1");
	},

	async audit__the_ombudsman_asks_without_asking_anybody(r) {
		await readByMany(r.site);
		await r.signIn("otso");
		await r.page.click(".menu a:has-text('Tarkastus')");
		check((await r.page.textContent("main")).includes("kirjataan lokiin"), "not said that it is logged");
		await r.sound("audit");
		await r.page.fill("#document", `${r.site.archive.base}/fi/documents/${r.site.ids.report}`);
		await r.page.click("form.search button");
		const said = await r.page.textContent(".complete");
		check(/Merkinnät 1–\d+, kaikkiaan \d+/.test(said), "completeness", said);
		await r.page.fill("#person", "antero");
		await r.page.click("form.search button");
		check((await r.page.textContent(".entries")).includes("LVV/1200/2026"), "the case");
		check((await r.page.textContent(".entries")).includes("onerror=alert(1)"), "the purpose");
		same(await r.page.locator("main img").count(), 0, "markup out of a purpose");
		check((await r.page.content()).length < 60 * 1024, "length of the page", (await r.page.content()).length);
		await r.sound("audit-entries");
		await r.page.fill("#document", "eiole");
		await r.page.fill("#from", "31.2.2026");
		await r.page.click("form.search button");
		same(await r.page.inputValue("#from"), "31.2.2026", "what was typed");
		same(await r.page.locator(".errors a").count(), 2, "faults");
		await r.sound("audit-wrong");
	},

	async audit__who_read_and_who_did_not(r) {
		await r.signIn("otso");
		await r.go("/fi/audit/readers");
		await r.sound("audit-readers-form");
		await r.page.fill("#document", r.site.ids.report);
		await r.page.click("form.search button");
		const text = await r.page.textContent(".read-by");
		for (const part of ["Luki", "Ei lukenut, vaikka olisi voinut"])
			check(text.includes(part), "not on the page:", part, text);
		await r.sound("audit-readers");
		await r.page.click(".readers a >> nth=0");
		check((await r.page.locator(".entries tbody tr").count()) > 0, "the entries behind it");
		await r.go("/sv/audit/readers?unit=koivula");
		check((await r.page.textContent("main")).includes("Kunde ha sett"), "in Swedish");
		await r.sound("audit-readers-unit");
	},

	async audit__as_it_was_whole_and_taken_along(r) {
		await r.signIn("otso", "en");
		await r.go("/en/audit/past");
		await r.sound("audit-past");
		await r.page.fill("#organisation", "Lupa- ja valvontavirasto");
		await r.page.fill("#unit", "koivula");
		await r.page.fill("#on", new Date().toISOString().slice(0, 10));
		await r.page.click("form.search >> nth=0 >> button");
		check((await r.page.textContent("h1")).length > 0, "the report");
		check((await r.page.content()).includes("arkki-report"), "the signed report");
		await r.go("/en/audit/integrity");
		check((await r.page.textContent("main")).includes("Checkpoint:"), "checkpoint");
		await r.sound("audit-integrity");
		r.site.archive.run("verify", r.site.archive.dir, "--full");
		await r.go("/en/audit/integrity");
		check((await r.page.textContent("main")).includes("The last full check found everything whole"), "the check lasts");
		await r.sound("audit-integrity-checked");
		await r.go("/en/audit/export");
		await r.page.fill("#unit", "koivula");
		await r.page.click("main form button");
		for (let i = 0; i < 50 && !(await r.page.locator("a[download]").count()); i++) {
			await r.page.waitForTimeout(100);
			await r.go("/en/audit/export");
		}
		await r.sound("audit-export");
		const href = await r.page.locator("a[download]").first().getAttribute("href");
		const got = await r.context.request.get(r.site.archive.base + href);
		same((await got.body()).subarray(0, 2).toString(), "PK", "a package");
	},

	async audit__emergency_access_is_reviewed(r) {
		await r.site.archive.send(r.site.token.sanna, `/v1/documents/${r.site.ids.swedish}`, {
			headers: { "Arkki-Break-Glass": encodeURIComponent(`Kiire <b>${r.name}</b>`) },
		});
		await r.signIn("otso");
		await r.go("/fi/audit/emergency");
		same(await r.page.locator("main b").count(), 0, "markup out of a reason");
		check((await r.page.textContent(".hits")).includes(`Kiire <b>${r.name}</b>`), "the use");
		await r.sound("audit-emergency");
		await r.page.click("main .hit input[value=yes] >> nth=0");
		await r.page.fill("main .hit input[name=remark] >> nth=0", `Perusteltu ${r.name}`);
		await r.page.click("main .hit button >> nth=0");
		check((await r.page.textContent(".note")).includes("Arvio on kirjattu"), "no word of it");
		await r.page.click(".sort a >> nth=1");
		check((await r.page.textContent(".hits")).includes(`Perusteltu ${r.name}`), "the review");
		await r.sound("audit-emergency-reviewed");
	},
};
