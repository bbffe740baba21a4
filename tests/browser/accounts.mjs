// The contact person's pages: a colleague's account from opening to closing, and the list. Everybody here is our own invention.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, same } from "./check.mjs";
import { totp } from "./sign_in.mjs";

const PASSWORD = "kolme sinistä hevosta";
const ODD = `Outo <b>lihava</b> & \u{1F600} ${"pitkänimi".repeat(19)}`;

async function post(r, path, body) {
	return r.site.archive.send(r.site.token.paula, path, {
		method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
	});
}

// Takes an account into use, from the code to the recovery codes.
async function joinAs(page, base, code, language = "fi") {
	await page.goto(`${base}/${language}/join`);
	await page.fill("#code", code);
	await page.click("main form button");
	await page.fill("#new", PASSWORD);
	await page.fill("#again", PASSWORD);
	await page.click("main form button");
	await page.click("main form button");
	await page.fill("#code", totp(await page.inputValue("[name=secret]")));
	await page.click("main form button");
}

// A county of this reader's own with a contact person, who is signed in here. Its id.
async function county(r, what) {
	const org = `${what}-${r.name}`;
	await post(r, "/v1/orgs", {
		id: org, kind: "county", name: { fi: "Keksittyalue", sv: "Påhittade området" }, businessId: "1234567-1",
		counties: ["99"], from: "2023-01-01", predecessors: ["esavi"], confirmEvery: 30,
	});
	await post(r, "/v1/users", { id: `${org}-yh`, org, name: "Tyyne Yhteinen", roles: ["contact"] });
	const link = await (await post(r, `/v1/users/${org}-yh/invitation`, {})).json();
	await joinAs(r.page, r.site.archive.base, link.code);
	return org;
}

async function load(r, users) {
	const file = join(r.site.archive.top, `accounts-${r.name}.json`);
	writeFileSync(file, JSON.stringify({ users }));
	r.site.archive.run("load", r.site.archive.dir, file);
}

const main = (r) => r.page.textContent("main");

async function has(r, ...parts) {
	const text = (await main(r)).replace(/\s+/g, " ");
	for (const part of parts) check(text.includes(part), "not on the page:", part);
}

// From the list to the page with the link; the link.
async function openAccount(r, name, id) {
	await r.page.click("main a.button");
	await r.sound("open");
	await r.page.click("main form button");
	check((await r.page.title()).startsWith("Virhe: "), "title");
	same(await r.page.locator(".errors li").count(), 2, "name and role are missing");
	await r.page.click(".errors li:last-child a");
	same(await r.page.evaluate(() => document.activeElement.id), "role-inspector", "where the error leads");
	await r.sound("open-wrong");
	await r.page.fill("#name", name);
	await r.page.fill("#email", "olavi@keksitty.example");
	await r.page.check("#role-inspector");
	await r.page.check("#role-auditor");
	await r.page.click("main form button");
	await has(r, name, id, "ehdotettu nimestä", "tarkastaja", "olavi@keksitty.example");
	await r.sound("open-check");
	await r.page.click("main form:last-of-type button");
	same(await r.page.inputValue("#name"), name, "what was typed");
	check(await r.page.isChecked("#role-auditor"), "what was chosen");
	await r.page.uncheck("#role-auditor");
	await r.page.click("main form button");
	await r.page.click("main form button");
	await has(r, "Tili on avattu", id, "vain nyt", "eri tietä kuin linkki");
	await r.sound("link");
	return r.page.textContent("code.key");
}

// What somebody sees who opens the link elsewhere.
async function joins(r, link) {
	const context = await r.browser.newContext({ javaScriptEnabled: r.script, locale: "fi-FI" });
	const page = await context.newPage();
	await joinAs(page, r.site.archive.base, link.split("#")[1]);
	await page.goto(`${r.site.archive.base}/fi/`);
	same(new URL(page.url()).pathname, "/fi/", "the colleague is in");
	check((await page.textContent(".session")).includes("Olavi Öljymäki"), "who is signed in");
	same(await page.locator(".menu a[href$='/accounts'], .menu a[href$='/admin']").count(), 0, "an administrator's links");
	return { context, page };
}

export const accountsTests = {
	async accounts__a_colleague_from_opening_to_closing(r) {
		const org = await county(r, "alue");
		const id = `olavi-oljymaki-${r.name}`, name = `Olavi Öljymäki ${r.name}`;
		await r.go("/fi/");
		await r.page.click(".menu a:has-text('Käyttäjätilit')");
		await has(r, "Keksittyalue", "Tyyne Yhteinen", "yhteyshenkilö", "käytössä");
		const link = await openAccount(r, name, id);
		const colleague = await joins(r, link);
		await r.page.click("main p >> nth=-1 >> a");
		await r.page.click("details summary >> nth=0");
		await has(r, "1234567-1", "hyvinvointialue", "30 päivän välein", "Etelä-Suomen aluehallintovirasto", "Olavi Öljymäki");
		await r.sound("accounts");
		await r.page.click(`table a[href$='/${id}']`);
		await has(r, "käytössä", "tili avattiin, tehtävät: tarkastaja", "Tyyne Yhteinen");
		await r.sound("account-one");
		await r.page.fill("#name", "Olavi Öljymäki-Keksitty");
		await r.page.check("#role-supervisor");
		await r.page.fill("#to", "31.2.2099");
		await r.page.click("form.stack button >> nth=0");
		same(await r.page.getAttribute("#to", "aria-invalid"), "true", "no such day");
		same(await r.page.inputValue("#name"), "Olavi Öljymäki-Keksitty", "what was typed");
		await r.sound("account-wrong");
		await r.page.fill("#to", "31.12.2099");
		await r.page.click("form.stack button >> nth=0");
		await has(r, "Muutos on tallennettu", "31.12.2099 asti", "tehtävät nyt: tarkastaja, valvoja");
		await r.page.fill("#reason", "Vuorotteluvapaa");
		await r.page.click("button:has-text('Keskeytä tili')");
		await has(r, "keskeytetty", "Vuorotteluvapaa");
		await r.sound("account-suspended");
		await colleague.page.reload();
		check(colleague.page.url().includes("/fi/sign-in"), "a suspended one goes on");
		await r.page.click("button:has-text('Palauta käyttöön')");
		await r.page.click("button:has-text('Sulje tili')");
		check((await r.page.textContent(".errors")).includes("Kirjoita syy"), "closed without a reason");
		await r.page.fill("#reason", "Siirtyi muualle");
		await r.page.click("button:has-text('Sulje tili')");
		await has(r, "ei voi perua", "Siirtyi muualle");
		await r.sound("account-close");
		await r.page.click("button:has-text('Sulje tili pysyvästi')");
		await has(r, "suljettu pysyvästi", "Siirtyi muualle");
		same(await r.page.locator("main form").count(), 0, "forms of a closed account");
		await r.sound("account-closed");
		await colleague.context.close();
		await r.go(`/sv/accounts?org=${org}`);
		await has(r, "Stängda konton (1)", "kontaktperson");
		check(!(await r.page.locator("details:not([open]) table a").first().isVisible()), "closed ones are folded away");
		await r.page.click("section.save button");
		await has(r, "Kontona har bekräftats");
		await r.sound("accounts-confirmed-sv");
	},

	async accounts__of_others_are_not_there(r) {
		await r.signIn("yrjo");
		for (const path of ["/fi/accounts?org=pirha", "/fi/accounts/pirkko", "/sv/open-account?org=pirha", "/en/accounts/nobody"])
			same((await r.go(path)).status(), 404, path);
		await r.go("/en/accounts");
		await has(r, "Maija Malli", "inspector", "Paula Pääkäyttäjä");
		await r.go("/en/accounts/paula");
		await has(r, "changed by administrators only");
		await r.sound("account-of-admin");
		await r.signIn("maija");
		same((await r.go("/fi/accounts")).status(), 403, "an inspector");
		same(await r.page.locator(".menu a[href$='/accounts'], .menu a[href$='/admin']").count(), 0, "an administrator's links");
	},

	async accounts__are_all_an_administrators(r) {
		await r.signIn("paula");
		await r.go("/fi/");
		await r.page.click(".menu a:has-text('Käyttäjätilit')");
		await r.page.click("main li a:has-text('Pirkanmaan hyvinvointialue')");
		await has(r, "Pirkko Yhteyshenkilö");
		await r.page.click(".sort a:has-text('käytössä')");
		await has(r, "Näytä kaikki tilit vahvistaaksesi ne.");
		await r.sound("accounts-admin");
	},

	async accounts__odd_names_stay_text(r) {
		const org = await county(r, "outo");
		await load(r, [
			{ id: `${org}-1`, org, name: ODD, roles: ["inspector", "registrar", "supervisor", "auditor", "placer"] },
			{ id: `${org}-2`, org, name: "Kaija \u202Eatsak", roles: [], email: `${"x".repeat(60)}@${"y".repeat(60)}.example` },
		]);
		await r.go("/fi/accounts");
		const names = await r.page.locator("table th a").allTextContents();
		check(names.includes(ODD) && names.includes("Kaija \uFFFDatsak"), "names", names);
		same(await r.page.locator("main b").count(), 0, "markup out of a name");
		await r.sound("accounts-odd");
		for (const tail of ["1", "2"]) {
			await r.go(`/en/accounts/${org}-${tail}`);
			same(await r.page.locator("main b").count(), 0, "markup out of a name");
			await r.sound(`account-odd-${tail}`);
		}
	},

	async accounts__a_list_that_is_due_is_told_everywhere(r) {
		await r.signIn("pirkko", "sv");
		await r.go("/sv/");
		const note = await r.page.textContent(".note.due");
		check(note.includes("Bekräfta din organisations konton senast"), note);
		await r.sound("accounts-due");
		await r.page.click(".note.due a");
		same(new URL(r.page.url()).pathname, "/sv/accounts", "where it leads");
		await r.page.click("section.save button");
		check((await main(r)).includes("Logga in med lösenord"), "a token confirms");
		await r.sound("accounts-token");
	},
};
