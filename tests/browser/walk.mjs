// The walk: sign in, search, read, change language, sign out; with and without script, wide and narrow.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { HtmlValidate, StaticConfigLoader } from "html-validate";
import { chromium } from "playwright-core";
import { Archive, TOP, demoText } from "./archive.mjs";
import { check, same } from "./check.mjs";
import { accountsTests } from "./accounts.mjs";
import { adminTests } from "./admin.mjs";
import { administrationTests, fillAdministration } from "./administration.mjs";
import { auditTests } from "./audit.mjs";
import { casesTests, fillCases } from "./cases.mjs";
import { documentTests } from "./document.mjs";
import { filingTests } from "./filing.mjs";
import { fillFinding, findingTests } from "./finding.mjs";
import { oidcTests, startProvider } from "./oidc.mjs";
import { fillPast, pastTests } from "./past.mjs";
import { fillRights, rightsTests } from "./rights.mjs";
import { signInTests } from "./sign_in.mjs";
import { tusTests } from "./tus_client.mjs";
import { fillUnits, unitsTests } from "./units.mjs";
import { uploadTests } from "./uploads.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = join(TOP, "build/browser");
// the shell draws pages alone; the whole browser without a window draws its own tabs and menus besides
const CHROMIUM = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find(existsSync);
const FLAGS = [
	"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync",
	// The first are Playwright's own (the last such flag is the one that holds); the others are pages of the browser's own
	// frame, which took more of the processor for each window than the page that is tested.
	"--disable-features=AcceptCHFrame,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,DialMediaRouteProvider," +
		"GlobalMediaControls,HttpsUpgrades,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,Translate," +
		"AutoDeElevate,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI",
];
const VALIDATOR = new HtmlValidate(new StaticConfigLoader({
	extends: ["html-validate:standard"],
	rules: {
		// taste: the pages write <!doctype html>
		"doctype-style": "off",
		// taste: HTML needs no slash in <input>, and we write none
		"void-style": "off",
		// the pages are written without a line that says nothing: what ends a line is chance
		"no-trailing-whitespace": "off",
		// a title is as long as people made it, and search engines are not let in
		"long-title": "off",
		// <button> in a form with one button: it submits, which is what HTML says and what is meant
		"no-implicit-button-type": "off",
		// ids that are made of a document's or a field's name are valid
		"valid-id": ["error", { relaxed: true }],
	},
}));
// what takes longer is named at the end: to be made leaner
const SLOW_S = 5;
const ODD_TITLE = 'Muistio <b>"lihava"</b> & \u202Ekäänteinen\u202C <script>alert(1)</script>';
// what turns the direction of text is shown for what it is
const ODD_SHOWN = ODD_TITLE.replaceAll(/[\u202E\u202C]/g, "\uFFFD");
const LONG_WORD = "Lastensuojelulaitostenvalvontaohjelmakokonaisuussuunnittelutyöryhmämuistio";

// ---- what the archive holds ----

function asHtml(paragraphs) {
	const block = (p) => {
		const mark = p.match(/^(#+) /);
		return mark ? `<h${mark[1].length}>${p.slice(mark[0].length)}</h${mark[1].length}>` : `<p>${p}</p>`;
	};
	return `<!doctype html><html lang="fi"><title>Tarkastuskertomus</title>${paragraphs.map(block).join("")}</html>`;
}

async function pdfOf(browser, html) {
	const page = await browser.newPage();
	await page.setContent(html);
	const bytes = await page.pdf({ format: "A4", margin: { top: "2cm", bottom: "2cm", left: "2cm", right: "2cm" } });
	await page.close();
	return bytes;
}

async function fill(archive, browser) {
	const users = ["antero", "maija", "gunilla", "helmi", "paula", "sanna", "yrjo", "pirkko", "otso"];
	const token = Object.fromEntries(users.map((u) => [u, archive.token(u)]));
	const text = demoText("07-koivula-tarkastuskertomus-2026.txt");
	const report = {
		units: ["koivula"], case: "koivula-2026", type: "inspection-report", language: "fi", date: "2026-03-27",
		title: "Tarkastuskertomus: Koivulan lastenkodin ennalta ilmoittamaton tarkastus 12.3.2026 (luonnos)",
		publicity: { class: "public" }, author: "lvv", state: "draft", visitDate: "2026-03-12",
	};
	const pdf = ["tarkastuskertomus.pdf", "application/pdf"];
	const ids = {};

	ids.report = (await archive.file(token.maija, report, await pdfOf(browser, asHtml(text)), ...pdf)).id;
	const settled = { title: report.title.replace(" (luonnos)", ""), date: "2026-05-04", state: "final" };
	await archive.version(token.maija, ids.report, settled, await pdfOf(browser, asHtml(text.slice(0, 20))), ...pdf);
	ids.swedish = (await archive.file(token.gunilla, {
		units: ["strandgard", "furuhem"], type: "supervision-decision", language: "sv", date: "2026-02-03",
		title: "Tillsynsbeslut om bemanningen på Strandgårds barnhem",
		publicity: { class: "partly-secret", ground: "OffL (621/1999) 24 § 1 mom. 25 punkten" }, author: "ovph",
	}, demoText("24-strandgard-tillsynsbeslut.txt").join("\n\n"), "beslut.txt", "text/plain")).id;
	ids.odd = (await archive.file(token.maija, {
		units: ["koivula"], type: "memo", language: "fi", date: "2026-01-09", title: `${ODD_TITLE} ${LONG_WORD}`,
		publicity: { class: "public" }, author: "lvv",
	}, `${LONG_WORD} ${LONG_WORD}\n\n<script>alert(1)</script>`, 'odd "name" <b>.txt', "text/plain")).id;
	for (let i = 1; i <= 24; i++)
		await archive.file(token.maija, {
			units: ["kivikko"], type: "account", language: i % 3 ? "fi" : "en", date: `2025-02-${String(i).padStart(2, "0")}`,
			title: `Selvitys ${i}`, publicity: { class: "public" }, author: "lvv",
		}, `Selvitys yksikön toiminnasta, osa ${i}.`, `selvitys-${i}.txt`, "text/plain");
	for (const fillMore of [fillRights, fillFinding, fillPast, fillCases, fillUnits, fillAdministration]) Object.assign(ids, await fillMore(archive, token));
	await archive.indexed(token.paula);
	return { token, ids };
}

// ---- one reader at one screen ----

class Reader {
	constructor(site, browser, script, width) {
		Object.assign(this, { site, browser, script, width, wrong: [], requests: [] });
		this.name = `${width}${script ? "" : "-noscript"}`;
	}

	async open() {
		this.context = await this.browser.newContext({
			viewport: { width: this.width, height: 900 }, javaScriptEnabled: this.script, locale: "en-US",
			extraHTTPHeaders: { "Accept-Language": "fi" },
		});
		if (this.script)
			await this.context.addInitScript(() => document.addEventListener("securitypolicyviolation",
				(e) => console.error(`CSP: ${e.effectiveDirective} forbids ${e.blockedURI || e.sample}`)));
		this.page = await this.context.newPage();
		this.page.setDefaultTimeout(10000);
		this.page.on("console", (m) => m.type() === "error" && !/status of (404|422|400|403|429)/.test(m.text()) &&
			this.wrong.push(m.text()));
		this.page.on("pageerror", (e) => this.wrong.push(String(e)));
		this.page.on("request", (q) => {
			if (q.isNavigationRequest()) this.requests = [];
			this.requests.push(q.url());
		});
	}

	async go(path) {
		return this.page.goto(this.site.archive.base + path);
	}

	// A filter, a chip or an order of the search page: shown in place with a script, on a page of its own without.
	async refine(selector) {
		const before = this.page.url();
		this.requests = [];
		await this.page.click(selector);
		await this.page.waitForURL((url) => url.href !== before);
	}

	// What must hold of every page there is.
	async sound(shot) {
		const p = this.page;
		same(await p.locator("h1").count(), 1, "h1");
		for (const landmark of ["header.top", "main", "footer.bottom"])
			same(await p.locator(landmark).count(), 1, landmark);
		const { wide, lang, title, path } = await p.evaluate(() => ({
			wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
			lang: document.documentElement.lang, title: document.title, path: location.pathname,
		}));
		check(wide <= 0, `${shot}: scrolls sideways by ${wide} px`);
		same(`/${lang}`, path.slice(0, 3), "lang of the page");
		check(title.endsWith(" – Arkki"), "title", title);
		// the icon of the page before may come late: it is the same one; so may its suggestions for what was typed
		const requests = new Set(this.requests.filter((url) => !/\/suggest\?/.test(url)));
		check(requests.size <= 4, "requests", [...requests]);
		for (const url of requests)
			check(url.startsWith(this.site.archive.base), "a request to elsewhere:", url);
		same(this.wrong.join("; "), "", "console");
		await p.screenshot({ path: join(SHOTS, `${this.name}-${shot}.png`), fullPage: true });
		if (this.width === 320) await this.twiceAsLarge(shot);
		if (this.script) await this.axe(shot);
		if (this.script && this.width === 1280 && lang === "fi") await this.valid(shot);
	}

	// Text of 200 % on a narrow screen: no word may push the page sideways.
	async twiceAsLarge(shot) {
		const wide = await this.page.evaluate(() => {
			const root = document.documentElement;
			root.style.fontSize = "200%";
			const over = root.scrollWidth - root.clientWidth;
			const widest = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 0.5);
			root.style.removeProperty("font-size");
			return over > 0 ? `${over} px by ${widest.slice(0, 3).map((e) => `${e.tagName}.${e.className}`).join(", ")}` : "";
		});
		same(wide, "", `${shot} with text of 200 %: scrolls sideways`);
	}

	// The page as the script has left it: what it adds must be valid too.
	async valid(shot) {
		const report = await VALIDATOR.validateString(await this.page.content(), shot);
		const found = report.results.flatMap((r) => r.messages).map((m) => `${m.ruleId} ${m.line}:${m.column} ${m.selector}: ${m.message}`);
		check(!found.length, `html-validate on ${shot}:`, [...new Set(found)].slice(0, 8).join("; "));
	}

	async axe(shot) {
		await this.page.evaluate(AXE);
		const { violations } = await this.page.evaluate(() =>
			globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] }));
		check(!violations.length, `axe on ${shot}:`,
			violations.map((v) => `${v.id} (${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")})`).join("; "));
	}

	async signIn(user = "maija", language = "fi") {
		await this.go(`/${language}/sign-in`);
		await this.pasteToken(this.site.token[user]);
	}

	// On the sign-in page, below the fold.
	async pasteToken(token) {
		if (!(await this.page.isVisible("#token"))) await this.page.click(".token summary");
		await this.page.fill("#token", token);
		await this.page.click(".token button");
	}
}

// ---- the tests: each gets a reader who has just opened the browser ----

const tests = {
	async sign_in__wrong_then_right(r) {
		await r.go(`/fi/documents/${r.site.ids.report}?x=%C3%A4`);
		check(r.page.url().includes("/fi/sign-in?next="), "not sent to the sign-in page:", r.page.url());
		await r.sound("sign-in");
		await r.pasteToken("arkki_wrong");
		check((await r.page.textContent(".errors")).includes("Tarkista käyttövaltuus"), "no error summary");
		check((await r.page.title()).startsWith("Virhe: "), "title");
		same(await r.page.inputValue("#token"), "", "the token is sent back");
		await r.sound("sign-in-wrong");
		await r.pasteToken(`  ${r.site.token.maija}\n`);
		same(new URL(r.page.url()).pathname, `/fi/documents/${r.site.ids.report}`, "came back to");
		same(new URL(r.page.url()).searchParams.get("x"), "ä", "query");
		const cookie = (await r.context.cookies()).find((c) => c.name === "arkki-session");
		check(cookie?.httpOnly && cookie.sameSite === "Strict" && cookie.path === "/", "cookie", cookie);
	},

	async sign_in__next_elsewhere_is_not_followed(r) {
		for (const next of ["https://evil.example/", "//evil.example", "/\\evil.example", "/fi//evil.example", "/v1/me"]) {
			await r.context.clearCookies();
			await r.go(`/fi/sign-in?next=${encodeURIComponent(next)}`);
			await r.pasteToken(r.site.token.maija);
			same(r.page.url(), `${r.site.archive.base}/fi/`, `after next=${next}`);
		}
	},

	async forms__from_another_site_are_refused(r) {
		await r.signIn();
		const base = r.site.archive.base;
		const form = await r.page.inputValue(".session [name=form]");
		const post = (path, fields, headers = {}) => r.context.request.post(base + path, { form: fields, headers, maxRedirects: 0 });
		same((await post("/fi/sign-out", { form: "0".repeat(32) })).status(), 403, "sign-out without its form");
		same((await post("/fi/sign-out", { form }, { "Sec-Fetch-Site": "cross-site" })).status(), 403, "sign-out from elsewhere");
		const fresh = await (await r.context.request.get(`${base}/fi/sign-in`)).text();
		const own = fresh.match(/action="\/fi\/sign-in"[^]*?name="form" value="([0-9a-f]{32})"/)[1];
		same((await post("/fi/sign-in", { token: r.site.token.maija })).status(), 422, "sign-in without its form");
		same((await post("/fi/sign-in", { token: r.site.token.maija, form: "0".repeat(32) })).status(), 422, "sign-in with another form");
		same((await post("/fi/sign-in", { token: r.site.token.maija, form: own }, { "Sec-Fetch-Site": "cross-site" })).status(), 422, "sign-in from elsewhere");
		same((await post("/fi/sign-in", { token: r.site.token.maija, form: own })).status(), 303, "sign-in");
		same((await post("/fi/sign-out", { form })).status(), 403, "sign-out with the form of the session before");
		await r.go("/fi/");
		const now = await r.page.inputValue(".session [name=form]");
		same((await post("/fi/sign-out", { form: now })).status(), 303, "sign-out");
	},

	async search__finds_an_inflected_word(r) {
		await r.signIn();
		await r.go("/fi/");
		await r.sound("newest");
		await r.page.fill("#q", "yövuorojen tarkastus");
		await r.page.click("form.search button");
		same(new URL(r.page.url()).searchParams.get("q"), "yövuorojen tarkastus", "q");
		check(/tarkastuskertomus/i.test(await r.page.textContent(".hit h3 >> nth=0")), "first hit");
		check((await r.page.locator(".snippet mark").count()) > 0, "no mark in the snippet");
		check((await r.page.textContent(".hit:has-text('Tarkastuskertomus: Koivulan')")).includes("4.5.2026"), "date");
		check((await r.page.title()).startsWith("yövuorojen tarkastus, "), "title");
		const length = (await r.page.content()).length;
		check(length < 60 * 1024, "page of", length, "characters");
		await r.sound("search");
	},

	async search__filters_are_chosen_and_removed(r) {
		await r.signIn();
		await r.go("/fi/");
		const total = async () => Number((await r.page.textContent(".over h2")).match(/\d+/)[0]);
		const all = await total();
		await r.refine(".facets a:has-text('Kivikonrinteen lastenkoti')");
		same(await total(), 24, "of the unit");
		same(await r.page.locator(".hit").count(), 20, "on the first page");
		await r.page.click("a[rel=next]");
		same(await r.page.locator(".hit").count(), 4, "on the second page");
		await r.sound("second-page");
		await r.page.click("a[rel=prev]");
		await r.page.click("summary");
		await r.page.selectOption("#language", "en");
		await r.page.fill("#from", "5.2.2025");
		await r.page.fill("#to", "2025-02-20");
		await r.page.click("form.search button");
		same(await total(), 5, "in English, in the time");
		await r.sound("filters");
		await r.refine(".chip:has-text('Päivätty viimeistään')");
		same(await total(), 7, "without the end");
		await r.refine(".chips li:last-child a");
		same(await total(), all, "without any");
		await r.page.click("summary");
		await r.page.fill("#from", "31.2.2026");
		await r.page.click("form.search button");
		same(await r.page.inputValue("#from"), "31.2.2026", "what was typed");
		await r.sound("wrong-date");
		await r.go("/fi/?q=" + encodeURIComponent('"tällaista ei ole"'));
		await r.sound("nothing");
	},

	async document__shows_what_it_is_and_its_versions(r) {
		await r.signIn();
		await r.go("/fi/?q=Koivula");
		await r.page.click(".hit h3 a:has-text('Tarkastuskertomus')");
		await r.page.reload();
		const text = (await r.page.textContent("article")).replace(/\s+/g, " ");
		for (const part of ["tarkastuskertomus", "Koivulan lastenkoti", "LVV/1200/2026", "4.5.2026", "12.3.2026",
			"Lupa- ja valvontavirasto", "julkinen", "Maija Malli", "Versio 2", "Yövalvonta"])
			check(text.includes(part), "not on the page:", part);
		check(!(await r.page.locator(".note").count()), "a banner on the newest version");
		await r.sound("document");
		await r.page.click(".versions a:has-text('Versio 1')");
		check((await r.page.textContent(".note")).includes("Luet versiota 1/2. Uusin versio on 2."), "no banner");
		await r.page.reload();
		await r.sound("old-version");
		await r.page.click(".note a");
		same(new URL(r.page.url()).pathname, `/fi/documents/${r.site.ids.report}`, "the newest");
	},

	async document__opens_its_file(r) {
		await r.signIn();
		await r.go(`/fi/documents/${r.site.ids.report}`);
		const href = await r.page.getAttribute(".file a.button", "href");
		const page = await r.context.request.get(r.site.archive.base + href);
		const api = await r.site.archive.send(r.site.token.maija, `/v1/documents/${r.site.ids.report}/versions/2/content`);
		same(page.status(), 200, "file");
		same(page.headers()["content-type"], "application/pdf", "type");
		check(page.headers()["content-disposition"].startsWith("inline;"), "not for the browser's viewer");
		const policy = page.headers()["content-security-policy"];
		check(policy.startsWith("default-src 'none'") && !policy.includes("sandbox"), "policy", policy);
		same(page.headers()["x-content-type-options"], "nosniff", "the type decides");
		check(Buffer.from(await api.arrayBuffer()).equals(await page.body()), "not the same bytes as by the API");
	},

	async document__odd_titles_stay_text(r) {
		await r.signIn();
		await r.go(`/fi/documents/${r.site.ids.odd}`);
		check((await r.page.textContent("h1")).startsWith(ODD_SHOWN), "title", await r.page.textContent("h1"));
		same(await r.page.locator("main script, main b").count(), 0, "markup out of a title");
		same(await r.page.getAttribute("h1", "dir"), "auto", "dir");
		await r.sound("odd");
		await r.go("/fi/?q=muistio");
		await r.sound("odd-hit");
	},

	async document__hidden_is_like_nonexistent(r) {
		await r.signIn("helmi");
		const at = async (id) => {
			const answer = await r.go(`/fi/documents/${id}`);
			const headers = Object.keys(answer.headers()).sort().join();
			return [answer.status(), headers, (await answer.text()).replaceAll(id, "ID")];
		};
		const hidden = await at(r.site.ids.swedish);
		const none = await at("0123456789abcdef0123456789abcdef");
		same(hidden[0], 404, "status");
		same(JSON.stringify(hidden), JSON.stringify(none), "hidden and nonexistent");
		check(hidden[2].includes("Ei löydy"), "language of the page");
		await r.sound("not-found");
		same((await r.go("/sv/nowhere")).status(), 404, "no such page");
		same(await r.page.textContent("h1"), "Hittades inte", "h1");
	},

	async language__change_keeps_the_page(r) {
		await r.signIn();
		await r.go("/fi/?q=bemanning&type=supervision-decision");
		await r.page.click(".languages a[lang=sv]");
		const url = new URL(r.page.url());
		same(url.pathname + url.search, "/sv/?q=bemanning&type=supervision-decision", "address");
		same(await r.page.textContent("h1"), "Sökning", "h1");
		await r.page.click(".hit h3 a");
		await r.page.reload();
		check((await r.page.textContent("article")).includes("delvis sekretessbelagd"), "publicity");
		await r.sound("document-sv");
		await r.page.click(".languages a[lang=en]");
		await r.page.reload();
		same(await r.page.getAttribute("h1", "lang"), "sv", "language of the title");
		check((await r.page.textContent("article")).includes("partly secret"), "publicity");
		await r.sound("document-en");
		await r.go("/");
		same(new URL(r.page.url()).pathname, "/en/", "the root follows the language last read");
	},

	async sign_out__ends_the_session(r) {
		await r.signIn();
		await r.page.click(".session button");
		check((await r.page.textContent("main")).includes("Olet kirjautunut ulos"), "no word of it");
		await r.sound("signed-out");
		await r.go("/fi/");
		check(r.page.url().includes("/fi/sign-in"), "still signed in");
	},

	async keyboard__reaches_content_and_search(r) {
		await r.signIn();
		await r.go("/fi/");
		await r.page.keyboard.press("Tab");
		same(await r.page.evaluate(() => document.activeElement.className), "skip", "first stop");
		await r.page.keyboard.press("Enter");
		await r.page.waitForFunction(() => document.activeElement.id === "content");
		await r.page.keyboard.press("Tab");
		same(await r.page.evaluate(() => document.activeElement.id), "q", "first stop in the content");
		await r.page.keyboard.type("selvitys");
		await r.page.keyboard.press("Enter");
		await r.page.waitForURL(/q=selvitys/);
	},

	async statement__is_there_for_anybody(r) {
		for (const [language, title] of [["fi", "Saavutettavuusseloste"], ["sv", "Tillgänglighetsutlåtande"], ["en", "Accessibility statement"]]) {
			await r.go(`/${language}/sign-in`);
			await r.page.click("footer a");
			same(await r.page.textContent("h1"), title, "h1");
			await r.sound(`statement-${language}`);
		}
	},
};

Object.assign(tests, rightsTests, documentTests, pastTests, findingTests, unitsTests, casesTests, filingTests, uploadTests, tusTests,
	auditTests, adminTests, administrationTests, signInTests, oidcTests, accountsTests);

// They ask what is answered, not what it looks like: the same at any width.
const ONE_WIDTH = new Set([
	"sign_in__next_elsewhere_is_not_followed", "forms__from_another_site_are_refused", "document__opens_its_file",
	"finding__the_result_is_a_table_too", "finding__old_versions_when_asked", "saved__form_of_another_site_saves_nothing",
	"uploads__go_on_when_the_network_is_back", "audit__is_not_there_for_others", "admin__is_for_administrators",
	"synonyms__changed_meanwhile_is_told", "oidc__leads_on_to_what_was_asked_for",
	"oidc__leaving_at_the_provider_ends_the_session_here",
]);

// ---- running them ----

/** Each with an archive and a browser of its own: half of the time a page waits for something. */
async function inParts(parts) {
	const sums = [0, 0, 0];
	const each = (part) => new Promise((done) => {
		const child = spawn(process.execPath, [process.argv[1], `--part=${part}`], { stdio: ["ignore", "pipe", "inherit"] });
		let said = "";
		child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
		child.on("close", () => {
			const last = /^browser: (\d+) passed, (\d+) failed, (\d+) skipped\n/m.exec(said);
			process.stdout.write(last ? said.replace(last[0], "") : said);
			(last ? last.slice(1).map(Number) : [0, 1, 0]).forEach((n, i) => (sums[i] += n));
			done();
		});
	});
	await Promise.all(parts.map(each));
	console.log(`browser: ${sums[0]} passed, ${sums[1]} failed, ${sums[2]} skipped`);
	return sums[1] ? 1 : 0;
}

async function main(words) {
	if (!words.length) return inParts(["script-1280", "noscript-1280", "script-320", "noscript-320"]);
	const part = words[0].startsWith("--part=") ? words.shift().slice(7) : "";
	mkdirSync(SHOTS, { recursive: true });
	const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
	const archive = new Archive();
	const slow = [];
	let passed = 0, failed = 0, skipped = 0;
	try {
		await archive.serve();
		const site = { archive, ...(await fill(archive, browser)), idp: await startProvider(archive) };
		for (const [script, width] of [[true, 1280], [false, 1280], [true, 320], [false, 320]]) {
			for (const [name, run] of Object.entries(tests)) {
				if (width !== 1280 && ONE_WIDTH.has(name)) continue;
				const full = `${name}[${width}${script ? "" : ", no script"}]`;
				if (words.length && !words.some((w) => full.includes(w))) continue;
				if (part && part !== `${script ? "" : "no"}script-${width}`) continue;
				const r = new Reader(site, browser, script, width);
				const began = Date.now();
				try {
					await r.open();
					await run(r);
					same(r.wrong.join("; "), "", "console");
					passed++;
				} catch (e) {
					failed++;
					console.log(`FAIL ${full}: ${e.message}`);
					await r.page?.screenshot({ path: join(SHOTS, `failed-${r.name}-${name}.png`) }).catch(() => {});
				}
				await r.context?.close();
				const took = Math.round((Date.now() - began) / 1000);
				if (took > SLOW_S) slow.push(`${took} s ${full}`);
				if (archive.ended) throw new Error(archive.ended);
			}
		}
	} finally {
		await archive.stop();
		await browser.close();
	}
	if (slow.length) console.log(`slow: ${slow.join(", ")}`);
	console.log(`browser: ${passed} passed, ${failed} failed, ${skipped} skipped`);
	return failed ? 1 : 0;
}

process.exit(await main(process.argv.slice(2)));
