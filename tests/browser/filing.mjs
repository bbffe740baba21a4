// The inspector's day: a draft is filed, settled as a new version, and given out as a public rendition. All is our own invention.
import { check, same } from "./check.mjs";

const DRAFT = `Tarkastuskertomus, Koivulan lastenkoti

Päivätty 27.3.2026. Asia LVV/1200/2026. Luonnos kuulemista varten.

Yksikkö tarkastettiin 12.3.2026. Ohjaaja Tuulikki Keksitty kertoi illoista ja öistä.`;
const OPEN = DRAFT.replace(" Tuulikki Keksitty", "");

const file = (name, text, mimeType = "text/plain") => ({ name, mimeType, buffer: Buffer.from(text) });
const main = async (r) => (await r.page.textContent("main")).replace(/\s+/g, " ");

async function has(r, ...parts) {
	const text = await main(r);
	for (const part of parts) check(text.includes(part), "not on the page:", part, "but", text.slice(0, 600));
}

// The form goes to the upload's page, with script when all has come.
async function give(r, files) {
	await r.page.setInputFiles("#files", files);
	await Promise.all([
		r.page.waitForURL(/\/file\/([0-9a-f]{32}|many)(\?|$)/),
		r.page.click("main form.upload p.act button"),
	]);
}

async function next(r) {
	await r.page.click("main form.stack p.act button >> nth=0");
}

export const filingTests = {
	async filing__from_the_unit_to_the_receipt(r) {
		const own = `${DRAFT}\n\nLukija ${r.name}.`;

		await r.signIn();
		await r.page.click(".menu a[href='/fi/file']");
		await r.page.fill("#q", "LVV/1200/2026");
		await r.page.click(".ask button");
		await r.sound("file-unit");
		await r.page.click(".targets .cases a >> text=LVV/1200/2026");
		await r.sound("file-new");
		await give(r, [file("luonnos <1>.txt", own)]);
		same(await r.page.inputValue("#date"), "27.3.2026", "date");
		await has(r, "ehdotettu tiedostosta", "Julkisuus");
		await r.sound("file-details");
		await r.page.fill("#title", "");
		await next(r);
		await r.sound("file-wrong");
		same(await r.page.getAttribute(".errors a >> nth=0", "href"), "#title", "the summary");
		await r.page.fill("#title", `Luonnos ${r.name}`);
		await r.page.check("#state-1");
		await r.page.check("#class-1");
		await r.page.fill("#ground", "JulkL 24 § 1 mom. 25 k");
		await next(r);
		await has(r, "Tarkista ja arkistoi", `Luonnos ${r.name}`, "LVV/1200/2026");
		await r.sound("file-check");
		await next(r);
		await has(r, "Asiakirja on arkistoitu", "Kuka voi nyt lukea");
		await r.sound("file-receipt");
		await r.page.goBack();
		await r.page.reload();
		await has(r, "Tämä tiedosto on jo arkistoitu");
	},

	async filing__settles_a_draft_and_gives_out_its_public_part(r) {
		const { archive, token } = r.site;
		const doc = await archive.file(token.maija, {
			units: ["koivula"], case: "koivula-2026", type: "inspection-report", language: "fi", date: "2026-03-27",
			title: `Luonnos ${r.name}`, state: "draft", author: "lvv",
			publicity: { class: "partly-secret", ground: "JulkL 24 § 1 mom. 25 k" },
		}, `${DRAFT} ${r.name}`, "luonnos.txt", "text/plain");

		await archive.indexed(token.paula);
		await r.signIn();
		await r.go(`/fi/file/new?document=${doc.id}`);
		await give(r, [file("valmis.txt", `${DRAFT} Valmis ${r.name}`)]);
		same(await r.page.inputValue("#title"), `Luonnos ${r.name}`, "from the version before");
		await r.page.fill("#title", `Kertomus ${r.name}`);
		await r.page.check("#state");
		await r.sound("file-version");
		await next(r);
		await next(r);
		await has(r, "Asiakirja on arkistoitu");
		await archive.indexed(token.paula);
		await r.page.click(".next a >> text=julkinen kappale");
		await r.sound("file-rendition");
		await give(r, [file("kuultava-tuulikki.txt", OPEN)]);
		await next(r);
		await has(r, "Tiedoston nimi", "1 sana");
		await next(r);
		await has(r, "Perustele, miksi");
		await r.sound("file-leak");
		await r.page.fill("#sure", "Nimi on jo julkinen.");
		await next(r);
		await has(r, "Julkinen kappale on arkistoitu");
		await r.sound("file-rendition-receipt");
	},

	async filing__several_files_at_once(r) {
		await r.signIn();
		await r.go("/fi/file/new?unit=koivula&case=koivula-2026");
		const dated = `Selvitys illoista\n\nPäivätty 27.3.2026. Asia LVV/1200/2026.\n\nKeksitty esimerkki ${r.name}.`;
		await give(r, [file("eka.txt", dated), file("toka.txt", `Toka ${r.name}`)]);
		same(await r.page.inputValue("fieldset.one input[name^=title] >> nth=0"), "Selvitys illoista", "out of the text");
		same(await r.page.inputValue("fieldset.one input[name^=date] >> nth=0"), "27.3.2026", "out of the text");
		await has(r, "ehdotettu tiedostosta");
		await r.page.selectOption("#type", "memo");
		await r.page.selectOption("#language", "fi");
		await r.page.check("#class");
		await r.sound("file-many");
		const many = r.page.url();
		await next(r);
		await has(r, "Arkistoitu 1 / 2", "Tarkista nämä ennen arkistointia");
		await r.sound("file-many-wrong");
		await r.go("/fi/file");
		await has(r, "Kesken jääneet");
		await r.sound("file-begun");
		await r.page.goto(many);
		await r.page.fill("fieldset.one input[name^=date]", "1.4.2026");
		await next(r);
		await has(r, "Kaikki tiedostot on arkistoitu");
		await r.sound("file-many-done");
	},

	async filing__two_tabs_lose_nothing(r) {
		await r.signIn();
		await r.go("/fi/file/new?unit=koivula&case=koivula-2026");
		await give(r, [file("tabs.txt", `Kaksi välilehteä ${r.name}`)]);
		const other = await r.context.newPage();
		await other.goto(r.page.url());
		await other.fill("#title", "Toisessa välilehdessä");
		await Promise.all([other.waitForURL(/\/file$/), other.click("button[value=keep]")]);
		await other.close();
		await r.page.fill("#title", "Tässä välilehdessä");
		await next(r);
		await has(r, "Tiedot on tallennettu välillä toisessa välilehdessä", "Otsikko: Toisessa välilehdessä");
		same(await r.page.inputValue("#title"), "Tässä välilehdessä");
		r.wrong.length = 0; // the browser says that 422 is an error
		await r.sound("file-clash");
		await r.go("/fi/file");
		await r.page.click(".begun form button >> nth=0");
	},
};
