// The walk of those who sign in at their organisation's own identity provider: oidc-provider from npm, with its own pages.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { check, same } from "./check.mjs";

const CLIENT = { client_id: "arkki", client_secret: "vain-kokeita-varten" };
const ID = "lvv-idp";

export async function startProvider(archive) {
	const { default: Provider } = await import("oidc-provider");
	const server = createServer();
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	const issuer = `http://127.0.0.1:${server.address().port}`;
	console.warn = console.info = () => {}; // it says that its keys and pages are for development: they are
	const provider = new Provider(issuer, {
		clients: [{
			...CLIENT, grant_types: ["authorization_code"], response_types: ["code"],
			redirect_uris: [`${archive.base}/auth/${ID}/callback`],
			backchannel_logout_uri: `${archive.base}/auth/${ID}/logout`, backchannel_logout_session_required: true,
		}],
		pkce: { required: () => true },
		features: { backchannelLogout: { enabled: true } },
		claims: { openid: ["sub", "sid"], profile: ["preferred_username", "name"], email: ["email"] },
		// everybody whose name is typed there: the accounts of the demo, and nobody's
		findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, name: id }) }),
		cookies: { keys: ["for tests only"] },
		ttl: { Session: 3600, Interaction: 3600, Grant: 3600, AccessToken: 300, IdToken: 300 },
	});
	server.on("request", provider.callback());
	const config = {
		id: ID, name: { fi: "Lupa- ja valvontavirasto", sv: "Tillstånds- och tillsynsverket", en: "Supervision agency" },
		issuer, clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret, org: "lvv",
		user: { claim: "preferred_username", match: "id" },
	};
	const file = join(archive.top, "provider.json");
	writeFileSync(file, JSON.stringify(config));
	archive.run("provider", "add", archive.dir, file, "--offline"); // this process cannot answer while it waits
	return { issuer };
}

// The provider's own pages: who it is, and that the archive may know.
async function atProvider(r, user) {
	const p = r.page;
	check(p.url().startsWith(r.site.idp.issuer), "not at the provider:", p.url());
	await p.fill("input[name=login]", user);
	await p.fill("input[name=password]", "mikä tahansa");
	await p.click("button[type=submit]");
	if (p.url().startsWith(r.site.idp.issuer)) await p.click("button[type=submit]");
}

async function toProvider(r, language = "fi", path = "") {
	await r.go(path || `/${language}/sign-in`);
	await r.page.click(`.providers a[href^='/auth/${ID}']`);
}

async function signedIn(r) {
	await r.go("/fi/");
	return !r.page.url().includes("/sign-in");
}

export const oidcTests = {
	async oidc__signs_in_at_the_provider_and_out_of_both(r) {
		await r.go("/fi/sign-in");
		await r.sound("sign-in-provider");
		await toProvider(r);
		await atProvider(r, "maija");
		await r.page.waitForURL(`${r.site.archive.base}/fi/`);
		r.wrong.length = 0; // what the provider's pages said
		await r.sound("signed-in-at-provider");
		const cookie = (await r.context.cookies(r.site.archive.base)).find((c) => c.name === "arkki-session");
		check(cookie?.httpOnly && cookie.sameSite === "Strict", "cookie", cookie);
		await r.page.click(".session button:has-text('Kirjaudu ulos')");
		await r.page.waitForURL(`${r.site.idp.issuer}/**`);
		await r.page.click("button[value=yes]");
		check(!(await signedIn(r)), "still signed in here");
		await toProvider(r);
		same(await r.page.locator("input[name=login]").count(), 1, "still signed in there");
		r.wrong.length = 0;
	},

	async oidc__leads_on_to_what_was_asked_for(r) {
		await r.go(`/fi/documents/${r.site.ids.report}`);
		await toProvider(r, "fi", new URL(r.page.url()).pathname + new URL(r.page.url()).search);
		await atProvider(r, "maija");
		await r.page.waitForURL(`${r.site.archive.base}/fi/documents/${r.site.ids.report}`);
		r.wrong.length = 0;
	},

	async oidc__leaving_at_the_provider_ends_the_session_here(r) {
		await toProvider(r);
		await atProvider(r, "maija");
		await r.page.waitForURL(`${r.site.archive.base}/fi/`);
		await r.page.goto(`${r.site.idp.issuer}/session/end`);
		await r.page.click("button[value=yes]");
		check(!(await signedIn(r)), "the provider's word did not arrive");
		r.wrong.length = 0;
	},

	async oidc__says_in_the_readers_language_what_went_wrong(r) {
		await toProvider(r, "sv");
		await atProvider(r, "ei-kukaan");
		await r.page.waitForURL(`${r.site.archive.base}/sv/sign-in/provider?**`);
		check((await r.page.textContent("main")).includes("inget giltigt användarkonto"), "not what went wrong");
		r.wrong.length = 0;
		await r.sound("provider-nobody");
		await r.page.click("main a");
		same(new URL(r.page.url()).pathname, "/sv/sign-in", "a way on");
		await r.context.clearCookies();
		await toProvider(r, "fi");
		await r.page.click("a:has-text('Cancel')");
		await r.page.waitForURL(`${r.site.archive.base}/fi/sign-in/provider?**`);
		check((await r.page.textContent("main")).includes("Tunnistus keskeytyi"), "not what went wrong");
		r.wrong.length = 0;
		await r.sound("provider-cancelled");
	},
};
