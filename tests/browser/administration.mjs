// The walk of an administrator beyond texts and synonyms. All documents and people are our own invention.
import { check, same } from "./check.mjs";

// A memo whose time has ended, and one on hold. Both are our own invention.
export async function fillAdministration(archive, token) {
	const table = await archive.send(token.paula, "/v1/retention");
	const rows = (await table.json()).rows;
	const json = { "Content-Type": "application/json" };
	rows.push({ id: "client-objection", type: "client-objection", years: 1, from: "document-date", then: "destroy" });
	await archive.send(token.paula, "/v1/retention", {
		method: "PUT", headers: { ...json, "If-Match": table.headers.get("ETag") }, body: JSON.stringify({ rows }),
	});
	const old = {
		units: ["koivula"], type: "client-objection", language: "fi", date: "2019-05-02", publicity: { class: "public" },
		author: "lvv", title: "Muistutus ruoka-ajoista, jonka säilytysaika on mennyt umpeen",
	};
	const due = (await archive.file(token.maija, old, "Keksitty muistutus.", "muistutus.txt", "text/plain")).id;
	const held = (await archive.file(
		token.maija, { ...old, date: "2019-06-03", title: "Muistutus, jota kantelu koskee" }, "Keksitty.", "m.txt", "text/plain")).id;
	await archive.send(token.maija, `/v1/documents/${held}/hold`, {
		method: "POST", headers: json, body: JSON.stringify({ reason: "Kantelu on vireillä", until: "2099-03-12" }),
	});
	return { due, held };
}

// On a page with a form of two steps: what it needs, then the check.
async function checked(r, fields) {
	for (const [id, value] of Object.entries(fields)) {
		const field = r.page.locator(`#${id}`);
		if (await field.evaluate((e) => e.tagName === "SELECT")) await field.selectOption(value);
		else await field.fill(value);
	}
	await r.page.click("button[value=check]");
}

export const administrationTests = {
	async administration__state_is_told(r) {
		await r.signIn("paula");
		await r.page.click(".menu a:has-text('Ylläpito')");
		await r.page.click(".sub a:has-text('Tila')");
		check((await r.page.textContent("main")).includes("Varmuuskopio"), "backup");
		await r.sound("admin-state");
	},

	async administration__types_are_changed_after_a_check(r) {
		await r.signIn("paula");
		await r.go("/sv/admin/types");
		await r.sound("admin-types");
		await r.page.click("main a:has-text('Lägg till')");
		await checked(r, { id: "Ei Kelpaa", "name-fi": "seuranta" });
		same(await r.page.locator(".errors a").count(), 3, "what is wrong");
		await r.sound("admin-type-wrong");
		await r.go("/fi/admin/types/notification");
		await checked(r, { "name-sv": "anmälan" });
		const report = await r.page.textContent("section[role=status]");
		check(report.includes("ruotsi: nimi ”anmälan, ändringsanmälan” muuttuu nimeksi ”anmälan”."), report);
		await r.sound("admin-type-checked");
	},

	async administration__rules_of_retention_are_changed_after_a_check(r) {
		await r.signIn("paula");
		await r.go("/fi/admin/retention");
		check(!(await r.page.textContent("main")).includes("Default until"), "a note in English");
		await r.sound("admin-retention");
		await r.page.click("main a:has-text('Lisää sääntö')");
		await checked(r, { type: "memo", years: "viisi", "note-sv": "Anmärkning" });
		same(await r.page.locator(".errors a").count(), 5, "what is wrong");
		await r.page.click(".errors a >> nth=0");
		same(await r.page.evaluate(() => document.activeElement.id), "years", "the focus");
		await r.sound("admin-rule-wrong");
		await checked(r, { years: "5", from: "filed", then: "review", "note-sv": "" });
		check((await r.page.textContent("section[role=status]")).includes("5 vuotta"), "what would change");
		await r.sound("admin-rule-checked");
	},

	async administration__what_is_due_is_told_and_dealt_with(r) {
		await r.signIn("antero");
		await r.page.click(".menu a:has-text('umpeen')");
		check((await r.page.textContent("main")).includes("Kantelu on vireillä"), "the hold");
		await r.sound("due");
		await r.page.click(`a[href='/fi/documents/${r.site.ids.due}/disposal']`);
		await r.page.check("#action-destroy");
		await r.page.click("button:has-text('Ehdota')");
		check((await r.page.textContent(".errors")).includes("Kirjoita tämä"), "what is wrong");
		await r.sound("disposal-wrong");
		await r.page.fill("#ground", "Säilytysaika on päättynyt.");
		await r.page.click("button:has-text('Ehdota')");
		check((await r.page.textContent("main")).includes("jonkun toisen on hyväksyttävä"), "a second person");
		await r.sound("disposal-proposed");
		await r.page.click("button:has-text('Peru ehdotus')");
		check((await r.page.textContent(".note")).includes("Kirjattu"), "withdrawn");
		await r.go(`/sv/documents/${r.site.ids.held}/disposal`);
		await r.sound("disposal-held");
	},

	async administration__providers_are_tried(r) {
		await r.signIn("paula");
		await r.go("/fi/admin/providers");
		await r.sound("admin-providers");
		await r.page.click("main table a >> nth=0");
		const asked = "main a.button[href*='/account/confirm']";
		same(await r.page.locator(asked).count(), 1, "who did not sign in just now confirms first");
		same(await r.page.locator("#clientSecret").count(), 0, "a form that would be refused");
		await r.sound("admin-provider-confirm");
		await r.go("/sv/admin/certificates");
		same(await r.page.locator(asked).count(), 1, "the same of certificates");
		await r.sound("admin-certificates-confirm");
	},

	async administration__decision_is_tried(r) {
		await r.signIn("paula");
		await r.go("/fi/admin/try");
		await r.page.fill("#user", "Helmi Esimerkki");
		await r.page.fill("#user", "helmi");
		await r.page.fill("#document", r.site.ids.report);
		await r.page.click("main form button");
		check((await r.page.textContent(".note")).includes("allittu"), "the decision");
		await r.sound("admin-try");
		await r.page.fill("#user", "");
		await r.page.click("main form button");
		same(await r.page.locator(".errors a").count(), 1, "faults");
		await r.sound("admin-try-wrong");
	},

	async administration__rules_are_read_and_checked(r) {
		await r.signIn("paula", "en");
		await r.go("/en/admin/policies");
		check((await r.page.locator(".rules li").count()) > 5, "rules");
		await r.sound("admin-policies");
		await r.page.click("main a:has-text('Change the rules')");
		await r.page.click("button[value=check]");
		check((await r.page.textContent("main")).includes("The rules can be put in force."), "the report");
		await r.sound("admin-policies-checked");
		await r.page.fill("#policies", "permit (nonsense");
		await r.page.click("button[value=check]");
		check((await r.page.textContent("main")).includes("The rules cannot be put in force."), "the faults");
		same(await r.page.locator("button[value=apply]").count(), 0, "a way to put it in force");
		await r.sound("admin-policies-wrong");
	},
};
