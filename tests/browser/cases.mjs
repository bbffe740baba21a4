// The walk of those who follow a case and its orders. Everybody, every unit and every order here is our own invention.
import { check, same } from "./check.mjs";

const HOSTILE = 'Määräys <b>lihava</b> & "lainaus" \u{1F600} Lastensuojelulaitostenvalvontaohjelmakokonaisuussuunnittelutyöryhmämuistio';

export async function fillCases(archive, token) {
	const file = (metadata) => archive.file(token.maija, {
		units: ["meripihka"], case: "meripihka-2026", language: "fi", publicity: { class: "public" }, author: "lvv", ...metadata,
	}, `${metadata.title}. Keksitty esimerkki.`, "asia.txt", "text/plain");
	const order = async (document, fields) => (await (await archive.send(token.maija, "/v1/orders", {
		method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ document, ...fields }),
	})).json()).id;
	const old = await file({ type: "inspection-report", date: "2022-10-01", title: "Tarkastuskertomus: lääkehoito 2022", case: undefined });
	const mid = await file({ type: "supervision-decision", date: "2024-02-01", title: "Valvontapäätös: lääkehoito 2024", case: undefined });
	const ids = {};

	await file({ type: "request-for-account", date: "2026-01-10", title: "Selvityspyyntö lääkehoidosta", addressees: ["kuusikello-oy"] });
	ids.account = (await file({ type: "account", date: "2026-01-30", title: "Selvitys lääkehoidosta" })).id;
	ids.decision = (await file({ type: "supervision-decision", date: "2026-03-02", title: "Valvontapäätös: lääkehoito 2026" })).id;
	await order(old.id, { text: "Lääkehoitosuunnitelma on päivitettävä.", matter: "medication" });
	await order(mid.id, { text: "Lääkkeiden jaon kaksoistarkistus on kirjattava.", matter: "medication" });
	ids.order = await order(ids.decision, {
		text: "Jokaiselle työntekijälle, joka antaa lääkkeitä, on varmistettava voimassa oleva lupa.",
		deadline: "2026-04-30", ground: "laki 741/2023, 39 §", matter: "medication",
	});
	return { cases: ids };
}

const main = async (r) => (await r.page.textContent("main")).replace(/\s+/g, " ");

async function has(r, ...parts) {
	const text = await main(r);
	for (const part of parts) check(text.includes(part), "not on the page:", part, text.slice(0, 600));
}

const open = (r, act) => r.page.click(`details:has([value=${act}]) > summary`);
const form = (act) => `form:has([name=act][value=${act}])`;

// A fresh order of a document of the archive; its id.
async function enter(r, text, more = {}) {
	const { archive, token, ids } = r.site;
	const answer = await archive.send(token.maija, "/v1/orders", {
		method: "POST", headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ document: ids.cases.account, text, ...more }),
	});
	return (await answer.json()).id;
}

export const casesTests = {
	async cases__are_listed_and_searched_by_number(r) {
		await r.signIn();
		await r.go("/fi/cases");
		await r.sound("cases");
		await r.page.fill("#q", "lvv/1677");
		await r.page.click("form.search button");
		same(await r.page.locator(".hit").count(), 1, "cases");
		await r.page.click(".hit a");
		await has(r, "LVV/1677/2026", "Meripihkan nuorisokoti", "Selvityspyyntö", "10.1.2026 Selvityspyyntö lääkehoidosta",
			"Ratkaisu", "2.3.2026 Valvontapäätös", "Määräyksen määräaika päättyi 30.4.2026", "Tiedoksi: Kuusikello", "3. kerta");
		same(await r.page.locator(".versions li").count(), 9, "steps");
		await r.sound("case");
		await r.page.click(".languages a[lang=sv]");
		await has(r, "Begäran om utredning", "försenat");
		await r.go("/fi/cases?q=ei-ole-olemassa");
		await has(r, "Yhtään asiaa ei löytynyt");
		await r.sound("cases-none");
		same((await r.go("/fi/cases/nocase")).status(), 404, "no such case");
	},

	async cases__tell_two_people_of_each_other(r) {
		const { archive, token } = r.site;
		const id = `kaksi-${r.name}`;
		await archive.send(token.maija, "/v1/cases", {
			method: "POST", headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ id, units: ["meripihka"], diaryNumber: `LVV/9${r.name}/2026`, kind: "inspection" }),
		});
		await r.signIn();
		await r.go(`/fi/cases/${id}`);
		const now = await archive.send(token.antero, `/v1/cases/${id}`);
		await archive.send(token.antero, `/v1/cases/${id}`, {
			method: "PATCH", headers: { "Content-Type": "application/json", "If-Match": now.headers.get("ETag") },
			body: JSON.stringify({ state: "heard" }),
		});
		await r.page.check("#state-closed");
		await r.page.click("#edit ~ form button");
		await has(r, "Joku on muuttanut asiaa", "Sen vaihe on nyt: kuultavana");
		check(await r.page.isChecked("#state-closed"), "what was chosen");
		await r.sound("case-meanwhile");
		await r.page.fill("#closed", "eilen");
		await r.page.click("#edit ~ form button");
		await has(r, "Kirjoita päivä muodossa");
		await r.page.fill("#closed", "1.9.2006");
		await r.page.click("#edit ~ form button");
		await has(r, "ei voi olla ennen vireilletuloa");
		await r.sound("case-wrong");
		await r.page.fill("#closed", "");
		await r.page.click("#edit ~ form button");
		await has(r, "Muutos on kirjattu", "suljettu", "Asia on suljettu.");
		await r.sound("case-closed");
	},

	async orders__overdue_come_first(r) {
		await r.signIn();
		await enter(r, `Myöhempi määräys ${r.name}`, { deadline: "2031-01-31" });
		await r.go("/fi/orders");
		await has(r, "myöhässä", "Lääkehoito".toLowerCase(), "3. kerta, ensimmäisen kerran 1.10.2022");
		check((await r.page.textContent(".hit >> nth=0")).includes("myöhässä"), "not the overdue first");
		await r.sound("orders");
		await r.page.selectOption("#state", "overdue");
		await r.page.click("form.search button");
		same(await r.page.locator(".hit").count(), await r.page.locator(".hit .tag-secret").count(), "all overdue");
		await r.page.fill("#from", "31.2.2026");
		await r.page.click("form.search button");
		check((await r.page.title()).startsWith("Virhe: "), "title");
		await r.sound("orders-wrong");
	},

	async orders__are_entered_from_a_document(r) {
		await r.signIn();
		await r.go(`/fi/documents/${r.site.ids.cases.decision}/orders`);
		await r.sound("order-enter");
		await r.page.fill("#day", "huomenna");
		await r.page.click("#enter ~ form button");
		await has(r, "Määräystä ei kirjattu", "Kirjoita päivä muodossa");
		same(await r.page.inputValue("#day"), "huomenna", "what was typed");
		await r.sound("order-enter-wrong");
		await r.page.fill("#text", HOSTILE);
		await r.page.fill("#day", "31.12.2031");
		await r.page.selectOption("#matter", "records");
		await r.page.click("#enter ~ form button");
		await has(r, "Määräys on kirjattu", HOSTILE, "31.12.2031", "kirjaaminen ja asiakirjat");
		await r.sound("order-entered");
	},

	async orders__are_moved_and_verified(r) {
		const id = await enter(r, `Kirjaa lääkepoikkeamat viikoittain (${r.name}).`, { deadline: "2026-05-01" });
		await r.signIn();
		await r.go(`/fi/orders/${id}`);
		await r.sound("order");
		await open(r, "move");
		await r.page.click(`${form("move")} button`);
		await has(r, "Muutosta ei kirjattu", "Kirjoita perustelu");
		await r.sound("order-wrong");
		await r.page.fill("#day", "1.6.2031");
		await r.page.fill("#move-reason", "Yksikkö pyysi lisäaikaa.");
		await r.page.click(`${form("move")} button`);
		await has(r, "Muutos on kirjattu", "Määräajaksi tuli 1.6.2031", "Yksikkö pyysi lisäaikaa.");
		await open(r, "verify");
		await r.page.click(`${form("verify")} button`);
		await has(r, "Valitse asiakirja tai kerro");
		await r.page.check(`${form("verify")} .choice:has-text("Valvontapäätös: lääkehoito 2026") input`);
		await r.page.click(`${form("verify")} button`);
		await has(r, "täytetty", "Todettiin täytetyksi", "Valvontapäätös: lääkehoito 2026", "Maija Malli");
		await r.sound("order-met");
	},

	async orders__tell_two_people_of_each_other(r) {
		const id = await enter(r, `Korjaa palovaroittimet (${r.name}).`);
		const { archive, token } = r.site;
		await r.signIn();
		await r.go(`/fi/orders/${id}`);
		const now = await archive.send(token.antero, `/v1/orders/${id}`);
		await archive.send(token.antero, `/v1/orders/${id}`, {
			method: "PATCH", headers: { "Content-Type": "application/json", "If-Match": now.headers.get("ETag") },
			body: JSON.stringify({ deadline: "2031-02-03", reason: "Anteron syy" }),
		});
		await open(r, "lapse");
		await r.page.fill("#state-reason", "Toiminta päättyi.");
		await r.page.click(`${form("lapse")} button`);
		await has(r, "Joku on muuttanut määräystä", "Anteron syy", "Antero Esimerkki");
		same(await r.page.inputValue("#state-reason"), "Toiminta päättyi.", "what was typed");
		await r.sound("order-meanwhile");
		await r.page.click(`${form("lapse")} button`);
		await has(r, "Muutos on kirjattu", "rauennut");
	},

	async orders__of_others_are_read_only_or_not_there(r) {
		await r.signIn("helmi");
		await r.go(`/fi/orders/${r.site.ids.cases.order}`);
		await has(r, "voimassa oleva lupa");
		same(await r.page.locator("#change").count(), 0, "forms");
		same((await r.go(`/fi/orders/${"0123456789abcdef".repeat(2)}`)).status(), 404, "no such order");
		await r.sound("order-none");
	},
};
