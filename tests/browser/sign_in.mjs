// Joining with an invitation, the second factor, signing in, the own account. Every person here is our own invention.
import { createHmac } from "node:crypto";
import { check, same } from "./check.mjs";

const PASSWORD = "kolme sinistä hevosta";

// RFC 6238, of now or of steps of 30 s from now
export function totp(secret, ahead = 0) {
	const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
	const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
	const step = Buffer.alloc(8);
	step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + ahead));
	const digest = createHmac("sha1", key).update(step).digest();
	const at = digest[19] & 15;
	return String((digest.readUInt32BE(at) & 0x7fffffff) % 1e6).padStart(6, "0");
}

async function invite(r, id) {
	const { archive, token } = r.site;
	const headers = { "Content-Type": "application/json" };
	await archive.send(token.paula, "/v1/users", {
		method: "POST", headers,
		body: JSON.stringify({ id, org: "lvv", name: "Uuno Uusi", email: "uuno@lvv.example", roles: ["inspector"] }),
	});
	return (await archive.send(token.paula, `/v1/users/${id}/invitation`, { method: "POST" })).json();
}

async function press(r, more = "") {
	await r.page.click(`main form ${more} button`);
}

async function typePassword(r, first, again = first) {
	await r.page.fill("#new", first);
	await r.page.fill("#again", again);
	await press(r);
}

// From the link to the recovery codes.
async function join(r, id, language = "fi") {
	const link = await invite(r, id);
	await r.go(`/${language}/join#${link.code}`);
	if (r.script) {
		same(await r.page.inputValue("#code"), link.code, "the code of the address");
		check(!r.page.url().includes(link.code), "the code stays in the address");
	} else {
		await r.page.fill("#code", link.code);
	}
	await press(r);
	await typePassword(r, PASSWORD);
	await press(r);
	const secret = await r.page.inputValue("[name=secret]");
	await r.page.fill("#code", totp(secret));
	await press(r);
	return { secret, codes: await r.page.locator(".codes code").allTextContents() };
}

async function signInAs(r, id, code, language = "fi") {
	await r.go(`/${language}/sign-in`);
	await r.page.fill("#user", id);
	await r.page.fill("#password", PASSWORD);
	await press(r);
	await r.page.fill("#code", code);
	await press(r);
}

export const signInTests = {
	async join__leads_from_the_link_to_the_search(r) {
		const id = `uuno-${r.name}`;
		const link = await invite(r, id);
		await r.go("/fi/join");
		await r.sound("join");
		await r.page.fill("#code", "ei-ole");
		await press(r);
		check((await r.page.textContent(".errors")).includes("Koodi ei kelpaa"), "no error summary");
		await r.sound("join-wrong");
		await r.page.fill("#code", link.code);
		await press(r);
		for (const part of ["Uuno Uusi", id, "Lupa- ja valvontavirasto", "Vähintään 12 merkkiä"])
			check((await r.page.textContent("main")).includes(part), "not on the page:", part);
		same(await r.page.getAttribute("#new", "autocomplete"), "new-password", "autocomplete");
		await r.sound("join-password");
		await typePassword(r, PASSWORD, "toinen salasana");
		check((await r.page.title()).startsWith("Virhe: "), "title");
		await r.page.click(".errors a");
		same(await r.page.evaluate(() => document.activeElement.id), "again", "where the error leads");
		await r.sound("join-password-wrong");
		await typePassword(r, PASSWORD);
		same(new URL(r.page.url()).pathname, "/fi/account/second-factor", "after the password");
		same(await r.page.locator(".menu").count(), 0, "menus that lead nowhere yet");
		await r.sound("factor-begin");
		await press(r);
		const secret = await r.page.inputValue("[name=secret]");
		same((await r.page.textContent("code.key")).replaceAll(" ", ""), secret, "the key as text");
		check((await r.page.getAttribute(".qr", "aria-label")).length > 10, "alt of the picture");
		same(await r.page.getAttribute("#code", "autocomplete"), "one-time-code", "autocomplete");
		await r.sound("factor");
		await r.page.fill("#code", "000000");
		await press(r);
		same(await r.page.inputValue("[name=secret]"), secret, "the secret after a wrong code");
		await r.sound("factor-wrong");
		await r.page.fill("#code", totp(secret));
		await press(r);
		same(await r.page.locator(".codes code").count(), 10, "recovery codes");
		await r.sound("recovery");
		await r.page.click("main a.button");
		same(new URL(r.page.url()).pathname, "/fi/", "where it ends");
		check((await r.page.textContent(".session")).includes("Uuno Uusi"), "who is signed in");
	},

	async sign_in__by_password_and_code(r) {
		const id = `upi-${r.name}`;
		const { secret, codes } = await join(r, id);
		await r.page.click(".session button");
		await r.go("/fi/account");
		check(r.page.url().includes("/fi/sign-in?next="), "not asked to sign in");
		same(await r.page.getAttribute("#user", "autocomplete"), "username", "autocomplete");
		same(await r.page.getAttribute("#password", "autocomplete"), "current-password", "autocomplete");
		await r.page.fill("#user", id);
		await r.page.fill("#password", "ei tämä ollut");
		await press(r);
		check((await r.page.textContent(".errors")).includes("Tarkista käyttäjätunnus ja salasana"), "no error summary");
		same(await r.page.inputValue("#user"), id, "the name that was typed");
		same(await r.page.inputValue("#password"), "", "the password is sent back");
		await r.sound("password-wrong");
		await press(r);
		same(await r.page.locator(".errors li").count(), 1, "the password alone is missing");
		await r.page.fill("#password", PASSWORD);
		await press(r);
		same(new URL(r.page.url()).pathname, "/fi/sign-in/code", "the second step");
		await r.sound("code");
		await r.page.fill("#code", codes[0].toUpperCase());
		await press(r);
		if (!r.page.url().includes("/fi/account")) {
			await r.page.fill("#code", codes[0]);
			await press(r);
		}
		same(new URL(r.page.url()).pathname, "/fi/account", "came back to");
		await r.page.click(".session button");
		await r.go("/sv/sign-in");
		await r.page.fill("#user", id);
		await r.page.fill("#password", PASSWORD);
		await r.page.keyboard.press("Enter");
		await r.page.waitForURL(/\/sv\/sign-in\/code/);
		await r.page.fill("#code", totp(secret, 1));
		await r.page.keyboard.press("Enter");
		await r.page.waitForURL((url) => url.pathname === "/sv/");
	},

	async sign_in__too_many_guesses_wait(r) {
		await r.go("/fi/sign-in");
		for (let i = 0; i < 15; i++) {
			await r.page.fill("#user", `arvailija-${r.name}`);
			await r.page.fill("#password", `arvaus ${i}`);
			await press(r);
			if ((await r.page.textContent(".errors")).includes("Odota")) break;
		}
		check((await r.page.textContent(".errors")).includes("Odota"), "nobody waits");
		await r.sound("wait");
	},

	async account__is_seen_and_changed(r) {
		const id = `ulla-${r.name}`;
		const { codes } = await join(r, id);
		await r.page.click(".session .who");
		for (const part of ["Uuno Uusi", "uuno@lvv.example", "10 koodia jäljellä", "tämä selain", "vahva tunnistus", "tarkastaja", "Chrome, Linux"])
			check((await r.page.textContent("main")).includes(part), "not on the page:", part);
		await r.sound("account");
		for (const language of ["sv", "en"]) {
			await r.page.click(`.languages a[lang=${language}]`);
			await r.sound(`account-${language}`);
		}
		await r.go("/fi/account/password");
		await r.sound("password");
		await r.page.fill("#password", PASSWORD);
		await typePassword(r, `${PASSWORD} uusi`);
		check((await r.page.textContent(".note")).includes("Salasana on vaihdettu"), "no word of it");
		await r.page.click("details.token summary");
		await r.page.click("details.token button");
		await r.sound("token-wrong");
		await r.page.fill("#name", "Tuontiohjelma");
		await press(r);
		const token = await r.page.textContent("code.key");
		await r.sound("token-made");
		check((await (await r.site.archive.send(token, "/v1/me")).json()).user?.id !== null, "the token");
		await r.page.click("main a.button");
		await r.sound("account-token");
		await r.page.click(".hit:has-text('Tuontiohjelma') button");
		check((await r.page.textContent(".note")).includes("peruutettu"), "no word of the end");
		await r.page.click("form[action='/fi/account/recovery'] button");
		same(await r.page.locator(".codes code").count(), 10, "new recovery codes");
		check(!(await r.page.textContent(".codes")).includes(codes[0]), "the same codes");
		await r.go("/fi/account/confirm?next=/account/password");
		await r.sound("confirm");
		await r.go("/fi/account");
		await r.page.click("form[action='/fi/account/sessions'] button");
		check((await r.page.textContent("main")).includes("Olet kirjautunut ulos"), "still signed in");
		await r.go("/fi/");
		check(r.page.url().includes("/fi/sign-in"), "still signed in");
	},

	async join__speaks_swedish_and_english(r) {
		for (const [language, word, code] of [["sv", "bruk", "Bekräftelsekod"], ["en", "account", "Confirmation code"]]) {
			const id = `${language}-${r.name}`;
			await r.go(`/${language}/sign-in`);
			await r.sound(`sign-in-${language}`);
			await r.page.click("main p a");
			check((await r.page.textContent("h1")).includes(word), "h1");
			await r.sound(`join-${language}`);
			const { secret, codes } = await join(r, id, language);
			check(secret.length === 32 && codes.length === 10, "secret and codes");
			await r.sound(`recovery-${language}`);
			await r.page.click(".session button");
			await r.go(`/${language}/sign-in`);
			await r.page.fill("#user", id);
			await r.page.fill("#password", PASSWORD);
			await press(r);
			check((await r.page.textContent("label")).includes(code), "label");
			await r.sound(`code-${language}`);
			await signInAs(r, id, codes[1], language);
			same(new URL(r.page.url()).pathname, `/${language}/`, "signed in");
			await r.page.click(".session button");
		}
	},
};
