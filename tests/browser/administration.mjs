// The walk of an administrator beyond texts and synonyms. All documents and people are our own invention.
import { check, same } from "./check.mjs";

export const administrationTests = {
	async administration__state_and_tables_are_told(r) {
		await r.signIn("paula");
		await r.page.click(".menu a:has-text('Ylläpito')");
		await r.page.click(".sub a:has-text('Tila')");
		check((await r.page.textContent("main")).includes("Varmuuskopio"), "backup");
		await r.sound("admin-state");
		await r.go("/sv/admin/types");
		await r.sound("admin-types");
		await r.go("/fi/admin/retention");
		await r.sound("admin-retention");
		await r.page.fill("#rows", "{ei json");
		await r.page.fill("#reason", "Kokeilu");
		await r.page.click("main form button");
		check((await r.page.textContent(".errors")).includes("Tarkista rivit"), "what is wrong");
		same((await r.page.inputValue("#rows")).trim(), "{ei json", "what was typed");
		await r.sound("admin-retention-wrong");
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
