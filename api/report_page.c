/* A signed report as a page: what a person reads, and under it the very JSON that is signed.
 *
 * Nothing but the report goes into it, so that whoever checks the JSON can make the page again and see that
 * the words above it are the words of the JSON. Lists rather than tables: they fit a telephone and paper.
 */
#include <stdio.h>
#include <string.h>

#include "api/html.h"
#include "api/i18n.h"
#include "api/reports.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum word {
	W_REPLAY,
	W_SUBJECT,
	W_ORG,
	W_UNIT,
	W_CASE,
	W_DOCUMENT,
	W_AT,
	W_ROLE,
	W_LINE,
	W_RIGHTS,
	W_ROLES,
	W_FROM,
	W_TO,
	W_MADE,
	W_BY,
	W_PART,
	W_NO_DOCUMENTS,
	W_TYPE,
	W_DATE,
	W_PUBLICITY,
	W_VERSION,
	W_SEES,
	W_TOMBSTONE,
	W_POLICIES,
	W_NO_POLICY,
	W_OPENED,
	W_NOT_OPENED,
	W_CUT,
	W_PURPOSE,
	W_GLASS,
	W_ENTRY,
	W_COMPLETE,
	W_UNREAD,
	W_GAP,
	W_FILINGS,
	W_PERSONS,
	W_NO_PERSONS,
	W_CHECK,
	W_DATA,
	WORDS
};

static const char *const words[WORDS][3] = {
    [W_REPLAY] = {"Mitä organisaatio saattoi tietää", "Vad organisationen kunde veta",
	"What the organisation could know"},
    [W_SUBJECT] = {"Kuka on käsitellyt asiaa ja miksi", "Vem har behandlat ärendet och varför",
	"Who processed the matter, and why"},
    [W_ORG] = {"Organisaatio", "Organisation", "Organisation"},
    [W_UNIT] = {"Yksikkö", "Enhet", "Unit"},
    [W_CASE] = {"Asia", "Ärende", "Case"},
    [W_DOCUMENT] = {"Asiakirja", "Handling", "Document"},
    [W_AT] = {"Ajankohta", "Tidpunkt", "As of"},
    [W_ROLE] = {"Rooli", "Roll", "Role"},
    [W_LINE] = {"Organisaatio ja sen edeltäjät", "Organisationen och dess föregångare",
	"The organisation and its predecessors"},
    [W_RIGHTS] = {"Käyttöoikeuspolitiikkojen versio", "Version av åtkomstpolicyerna",
	"Version of the access policies"},
    [W_ROLES] = {"Roolit silloin (käyttäjiä)", "Roller då (användare)",
	"Roles at that time (users)"},
    [W_FROM] = {"Alkaen", "Från och med", "From"},
    [W_TO] = {"Ennen", "Före", "Before"},
    [W_MADE] = {"Tehty", "Gjord", "Made"},
    [W_BY] = {"Tekijä", "Av", "By"},
    [W_PART] = {"Tämä on osa raportista.", "Detta är en del av rapporten.",
	"This is a part of the report."},
    [W_NO_DOCUMENTS] = {"Asiakirjoja ei ollut.", "Det fanns inga handlingar.",
	"There were no documents."},
    [W_TYPE] = {"Laji", "Typ", "Type"},
    [W_DATE] = {"Päivä", "Datum", "Date"},
    [W_PUBLICITY] = {"Julkisuus", "Offentlighet", "Publicity"},
    [W_VERSION] = {"Uusin versio silloin", "Nyaste version då", "Newest version then"},
    [W_SEES] = {"näki version", "såg version", "saw version"},
    [W_TOMBSTONE] = {"Hävitetty sittemmin; tiedot ovat hävittämismerkinnästä.",
	"Förstörd sedan dess; uppgifterna är ur förstöringsanteckningen.",
	"Destroyed since; this is what its tombstone says."},
    [W_POLICIES] = {"Ratkaisevat säännöt", "Avgörande regler", "Deciding policies"},
    [W_NO_POLICY] = {"mikään sääntö ei salli", "ingen regel tillåter", "no policy permits it"},
    [W_OPENED] = {"Lokimerkinnät", "Loggposter", "Log entries"},
    [W_NOT_OPENED] = {"Lokissa ei ole merkintöjä.", "Det finns inga poster i loggen.",
	"There are no entries in the log."},
    [W_CUT] = {"Merkintöjä on enemmän kuin tässä näytetään.",
	"Det finns fler poster än vad som visas här.",
	"There are more entries than are shown here."},
    [W_PURPOSE] = {"käyttötarkoitus", "ändamål", "purpose"},
    [W_GLASS] = {"hätäkäytön peruste", "grund för nödåtkomst", "reason for emergency access"},
    [W_ENTRY] = {"merkintä", "post", "entry"},
    [W_COMPLETE] = {"Merkinnät {0}–{1}, kaikkiaan {2}.", "Posterna {0}–{1}, av totalt {2}.",
	"Entries {0}–{1} of {2}."},
    [W_UNREAD] = {"Asiakirjaa ei ole luettu.", "Handlingen har inte lästs.",
	"The document has not been read."},
    [W_FILINGS] = {"Tallentaminen ja muutokset:", "Arkivering och ändringar:",
	"Filing and changes:"},
    [W_GAP] = {"Numero {0} puuttuu näiden välistä.", "Nummer {0} saknas mellan dem.",
	"Number {0} is missing between them."},
    [W_PERSONS] = {"Henkilöt nimetään.", "Personerna namnges.", "Persons are named."},
    [W_NO_PERSONS] = {"Henkilön sijasta näytetään organisaatio.",
	"I stället för person visas organisation.",
	"The organisation is shown instead of the person."},
    [W_CHECK] = {"Tarkista: arkki audit replay --check TIEDOSTO --vkey AVAIN. Avain saadaan "
		 "muualta kuin tästä raportista.",
	"Kontrollera: arkki audit replay --check FIL --vkey NYCKEL. Nyckeln fås från annat håll "
	"än ur denna rapport.",
	"Check it: arkki audit replay --check FILE --vkey KEY. Get the key from elsewhere than "
	"this report."},
    [W_DATA] = {"Allekirjoitettu raportti (JSON)", "Undertecknad rapport (JSON)",
	"The signed report (JSON)"},
};

static const struct verdict {
	const char *name, *words[3];
} verdicts[] = {
    {"could-and-did",
	{"Saattoi nähdä ja avasi", "Kunde se och öppnade", "Could see it, and opened it"}},
    {"could-and-did-not", {"Saattoi nähdä mutta ei avannut", "Kunde se men öppnade inte",
			      "Could see it, and did not open it"}},
    {"could-not", {"Ei voinut nähdä", "Kunde inte se", "Could not see it"}},
    {"could-not-but-did",
	{"Ei voinut nähdä silloin mutta oli avannut (hätäkäyttö tai päättynyt oikeus)",
	    "Kunde inte se då men hade öppnat (nödåtkomst eller rätt som upphört)",
	    "Could not see it then, but had opened it (emergency access, or a right that ended)"}},
};

/* What stands in the JSON as a code, for a person. */
static const struct term {
	const char *code, *words[3];
} terms[] = {
    {"metadata", {"tiedot", "uppgifter", "metadata"}},
    {"content", {"sisältö", "innehåll", "content"}},
    {"text", {"teksti", "text", "text"}},
    {"shown", {"hakutulos", "sökträff", "search hit"}},
    {"list", {"luettelo", "förteckning", "list"}},
    {"audit", {"lokitarkastus", "logggranskning", "audit"}},
    {"export", {"vienti", "export", "export"}},
    {"maintenance", {"ylläpito", "underhåll", "maintenance"}},
    {"sign-in", {"kirjautuminen", "inloggning", "signing in"}},
    {"sign-out", {"uloskirjautuminen", "utloggning", "signing out"}},
    {"credentials",
	{"tunnistautumisen muutos", "ändring av inloggningsuppgifter", "change of credentials"}},
    {"filing", {"tallennus", "arkivering", "filing"}},
    {"version", {"uusi versio", "ny version", "new version"}},
    {"ok", {"näytettiin", "visades", "shown"}},
    {"denied", {"evättiin", "nekades", "denied"}},
    {"not-found", {"ei löytynyt", "hittades inte", "not found"}},
    {"failed", {"epäonnistui", "misslyckades", "failed"}},
    {"permit", {"sallittu", "tillåtet", "permitted"}},
    {"deny", {"ei sallittu", "inte tillåtet", "not permitted"}},
    {"needs-purpose",
	{"sallittu, kun käyttötarkoitus ja asia ilmoitetaan",
	    "tillåtet när ändamål och ärende anges", "permitted when purpose and case are stated"}},
    {"list?", {"näkyy luettelossa", "syns i förteckningen", "is listed"}},
    {"read?", {"tietojen luku", "läsning av uppgifterna", "reading its metadata"}},
    {"readContent?", {"sisällön luku", "läsning av innehållet", "reading its content"}},
    {"readPublic?", {"julkisen kappaleen luku", "läsning av den offentliga versionen",
			"reading the public rendition"}},
    {"public", {"julkinen", "offentlig", "public"}},
    {"partly-secret", {"osittain salassa pidettävä", "delvis sekretessbelagd", "partly secret"}},
    {"secret", {"salassa pidettävä", "sekretessbelagd", "secret"}},
};

static const char head[] =
    "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">"
    "<style>body{font:1rem/1.5 sans-serif;max-width:48rem;margin:1rem auto;padding:0 1rem;"
    "overflow-wrap:anywhere}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-bottom:.2rem}"
    "section{border-top:1px solid #888;break-inside:avoid-page}dl{margin:.3rem 0}"
    "dt,dd{display:inline;margin:0}dt{font-weight:bold}dt::after{content:\": \"}"
    "dd::after{content:\"\\A\";white-space:pre}ul{padding-left:1.2rem}"
    "pre{white-space:pre-wrap;font-size:.6rem}@media print{body{max-width:none}}</style>";

#define PRE "<pre id=\"arkki-report\">"

struct page {
	struct html h;
	enum http_language language;
};

static const char *say(const struct page *p, enum word w)
{
	return words[w][p->language];
}

/* A code that has no words is shown as it is. `asked`: it is the name of an action. */
static const char *term(const struct page *p, const char *code, bool asked)
{
	size_t n = code ? strlen(code) : 0;

	for (size_t i = 0; n && i < sizeof(terms) / sizeof(*terms); i++)
		if (strncmp(terms[i].code, code, n) == 0 &&
		    strcmp(terms[i].code + n, asked ? "?" : "") == 0)
			return terms[i].words[p->language];
	return code;
}

static void put_pair(struct page *p, enum word w, const char *value)
{
	if (value && *value)
		html_put(&p->h, "<dt>$</dt><dd>$</dd>", say(p, w), value);
}

/* A time as a person reads it; exact to the microsecond in the markup. */
static void put_time(struct page *p, const char *time)
{
	char text[I18N_SIZE];
	int64_t us;

	if (!time || !clock_parse(time, &us))
		return;
	i18n_time(text, p->language, us);
	html_put(&p->h, "<time datetime=\"$\">$</time>", time, text);
}

static void put_time_pair(struct page *p, enum word w, const char *time)
{
	if (!time)
		return;
	html_put(&p->h, "<dt>$</dt><dd>", say(p, w));
	put_time(p, time);
	html_raw(&p->h, "</dd>");
}

static void put_named(struct page *p, enum word w, const json_t *thing)
{
	const char *id = json_text(thing, "id"), *name = i18n_name(p->language, thing, NULL);

	if (id)
		html_put(&p->h, "<dt>$</dt><dd>$ (<code>$</code>)</dd>", say(p, w), name, id);
}

static void put_number(struct page *p, enum word w, const json_t *number)
{
	char text[24];

	if (!json_is_integer(number))
		return;
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(number));
	put_pair(p, w, text);
}

static void put_day(struct page *p, const char *date)
{
	char text[I18N_SIZE];

	if (!date)
		return;
	i18n_date(text, date);
	put_pair(p, W_DATE, text);
}

/* ---- a line of a list: what was done, when, by whom, why ---- */

/* `a` and `b` are the parts of the entry, or one object with both; org stands in where b does not tell. */
static void put_entry(struct page *p, const json_t *a, const json_t *b, const char *org)
{
	const char *principal = json_text(b, "principal"), *purpose = json_text(a, "purpose");
	const char *glass = json_text(a, "breakGlass"), *of_case = json_text(a, "case");
	const char *of = json_text(b, "org");

	html_raw(&p->h, "<li>");
	put_time(p, json_text(a, "time"));
	html_put(&p->h, " · $ · $", term(p, json_text(a, "kind"), false),
	    term(p, json_text(a, "outcome"), false));
	if (principal)
		html_put(&p->h, " · $", principal);
	if (of || org)
		html_put(&p->h, " · $", of ? of : org);
	if (purpose)
		html_put(&p->h, " · $: $", say(p, W_PURPOSE), purpose);
	if (of_case)
		html_put(&p->h, " · $: $", say(p, W_CASE), of_case);
	if (glass)
		html_put(&p->h, " · $: $", say(p, W_GLASS), glass);
}

static void end_entry(struct page *p, const json_t *index)
{
	char text[24];

	if (json_is_integer(index)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(index));
		html_put(&p->h, " · $ $", say(p, W_ENTRY), text);
	}
	html_raw(&p->h, "</li>");
}

/* ---- a replay ---- */

static void put_decision(struct page *p, const char *action, const json_t *decision)
{
	const json_t *policies = json_object_get(decision, "policies");
	json_t *id;
	size_t i;

	html_put(&p->h, "<br>$: $ (", term(p, action, true),
	    term(p, json_text(decision, "outcome"), false));
	json_array_foreach(policies, i, id)
	{
		html_put(&p->h, "$$", i ? ", " : "", json_string_value(id));
	}
	if (json_array_size(policies) == 0)
		html_text(&p->h, say(p, W_NO_POLICY));
	html_raw(&p->h, ")");
}

static void put_seen(struct page *p, const json_t *of_role)
{
	char version[24];

	snprintf(version, sizeof(version), "%lld",
	    (long long)json_integer_value(json_object_get(of_role, "version")));
	if (json_is_true(json_object_get(of_role, "sees")) &&
	    json_is_integer(json_object_get(of_role, "version")))
		html_put(&p->h, " · $ $", say(p, W_SEES), version);
}

static void put_could(struct page *p, const json_t *roles, const json_t *could)
{
	json_t *of_role;
	size_t i;

	html_put(&p->h, "<p>$:</p><ul>", say(p, W_POLICIES));
	json_array_foreach(could, i, of_role)
	{
		const char *action;
		json_t *decision;

		html_put(&p->h, "<li><b>$</b>", json_text(json_array_get(roles, i), "roles"));
		put_seen(p, of_role);
		json_object_foreach(of_role, action, decision)
		{
			if (json_is_object(decision))
				put_decision(p, action, decision);
		}
		html_raw(&p->h, "</li>");
	}
	html_raw(&p->h, "</ul>");
}

static void put_opened(struct page *p, const json_t *document)
{
	const json_t *opened = json_object_get(document, "opened");
	json_t *entry;
	size_t i;

	if (json_array_size(opened) == 0) {
		html_put(&p->h, "<p>$</p>", say(p, W_NOT_OPENED));
		return;
	}
	html_put(&p->h, "<p>$:</p><ul>", say(p, W_OPENED));
	json_array_foreach(opened, i, entry)
	{
		put_entry(p, entry, entry, NULL);
		end_entry(p, json_object_get(entry, "index"));
	}
	html_raw(&p->h, "</ul>");
	if (json_is_true(json_object_get(document, "openedCut")))
		html_put(&p->h, "<p>$</p>", say(p, W_CUT));
}

static void put_verdict(struct page *p, const char *name)
{
	for (size_t i = 0; name && i < sizeof(verdicts) / sizeof(*verdicts); i++)
		if (strcmp(verdicts[i].name, name) == 0)
			html_put(&p->h, "<p><b>$</b></p>", verdicts[i].words[p->language]);
}

static void put_replayed(struct page *p, const json_t *roles, const json_t *d)
{
	const char *title = json_text(d, "title"), *id = json_text(d, "id");

	html_put(&p->h, "<section><h2>$</h2><p><code>$</code></p>", title ? title : id, id);
	put_verdict(p, json_text(d, "verdict"));
	html_raw(&p->h, "<dl>");
	put_pair(p, W_TYPE, json_text(d, "type"));
	put_day(p, json_text(d, "date"));
	put_pair(p, W_PUBLICITY, term(p, json_text(d, "publicity"), false));
	put_number(p, W_VERSION, json_object_get(d, "version"));
	html_raw(&p->h, "</dl>");
	if (json_object_get(d, "tombstone"))
		html_put(&p->h, "<p>$</p>", say(p, W_TOMBSTONE));
	put_could(p, roles, json_object_get(d, "could"));
	put_opened(p, d);
	html_raw(&p->h, "</section>");
}

static void put_line(struct page *p, const json_t *line)
{
	json_t *org;
	size_t i;

	if (json_array_size(line) < 2)
		return;
	html_put(&p->h, "<dt>$</dt><dd>", say(p, W_LINE));
	json_array_foreach(line, i, org)
	{
		html_put(&p->h, "$$", i ? ", " : "", json_string_value(org));
	}
	html_raw(&p->h, "</dd>");
}

static void put_roles(struct page *p, const json_t *roles)
{
	json_t *of;
	size_t i;

	html_put(&p->h, "<dt>$</dt><dd>", say(p, W_ROLES));
	json_array_foreach(roles, i, of)
	{
		char users[24];

		snprintf(users, sizeof(users), "%lld",
		    (long long)json_integer_value(json_object_get(of, "users")));
		html_put(&p->h, "$$ ($)", i ? ", " : "", json_text(of, "roles"), users);
	}
	html_raw(&p->h, "</dd>");
}

static void put_replay(struct page *p, const json_t *report)
{
	const json_t *roles = json_object_get(report, "roles");
	json_t *document;
	size_t i;

	put_named(p, W_ORG, json_object_get(report, "org"));
	put_named(p, W_UNIT, json_object_get(report, "unit"));
	put_time_pair(p, W_AT, json_text(report, "at"));
	put_pair(p, W_ROLE, json_text(report, "role"));
	put_line(p, json_object_get(report, "line"));
	put_number(p, W_RIGHTS, json_object_get(report, "policiesVersion"));
	put_roles(p, roles);
	html_raw(&p->h, "</dl>");
	json_array_foreach(json_object_get(report, "documents"), i, document)
	{
		put_replayed(p, roles, document);
	}
}

/* ---- a personal-data request ---- */

static void put_range(struct page *p, const json_t *range)
{
	static const char *const members[] = {"first", "last", "of"};
	const json_t *gap = json_object_get(range, "gap");
	char text[4][I18N_SIZE];

	if (!range)
		return;
	for (size_t i = 0; i < 3; i++)
		i18n_number(text[i], p->language,
		    (uint64_t)json_integer_value(json_object_get(range, members[i])));
	html_raw(&p->h, "<p>");
	if (json_integer_value(json_object_get(range, "of")) == 0)
		html_text(&p->h, say(p, W_UNREAD));
	else
		html_sentence(
		    &p->h, say(p, W_COMPLETE), (const char *const[]){text[0], text[1], text[2]}, 3);
	if (gap) {
		i18n_number(text[3], p->language, (uint64_t)json_integer_value(gap));
		html_raw(&p->h, " ");
		html_sentence(&p->h, say(p, W_GAP), (const char *const[]){text[3]}, 1);
	}
	html_raw(&p->h, "</p>");
}

/* Part of a disclosure as it was logged; NULL: it is not shown. The caller's. */
static json_t *part_of(const json_t *disclosure, const char *letter)
{
	const char *text =
	    json_text(json_object_get(json_object_get(disclosure, "parts"), letter), "json");
	json_t *part = NULL;

	if (text && json_read(text, strlen(text), &part, NULL))
		part = NULL;
	return part;
}

static void put_disclosed(struct page *p, const json_t *entry)
{
	const json_t *disclosure = json_object_get(entry, "disclosure");
	json_t *a = part_of(disclosure, "A"), *b = part_of(disclosure, "B");

	put_entry(p, a, b, json_text(entry, "org"));
	end_entry(p, json_object_get(disclosure, "index"));
	json_decref(a);
	json_decref(b);
}

static void put_processed(struct page *p, const json_t *d)
{
	json_t *entry;
	size_t i;

	html_put(&p->h, "<section><h2><code>$</code></h2><dl>", json_text(d, "document"));
	put_pair(p, W_TYPE, json_text(d, "type"));
	put_day(p, json_text(d, "date"));
	html_raw(&p->h, "</dl>");
	put_range(p, json_object_get(d, "range"));
	put_range(p, json_object_get(d, "ownRange"));
	html_raw(&p->h, "<ul>");
	json_array_foreach(json_object_get(d, "entries"), i, entry)
	{
		put_disclosed(p, entry);
	}
	html_raw(&p->h, "</ul>");
	if (json_array_size(json_object_get(d, "filings")) > 0)
		html_put(&p->h, "<p>$</p><ul>", say(p, W_FILINGS));
	json_array_foreach(json_object_get(d, "filings"), i, entry)
	{
		put_disclosed(p, entry);
	}
	if (json_array_size(json_object_get(d, "filings")) > 0)
		html_raw(&p->h, "</ul>");
	if (json_is_true(json_object_get(d, "filingsCut")))
		html_put(&p->h, "<p>$</p>", say(p, W_CUT));
	html_raw(&p->h, "</section>");
}

static void put_subject(struct page *p, const json_t *report)
{
	json_t *document;
	size_t i;

	put_pair(p, W_CASE, json_text(report, "case"));
	put_pair(p, W_UNIT, json_text(report, "unit"));
	put_pair(p, W_DOCUMENT, json_text(report, "document"));
	put_time_pair(p, W_FROM, json_text(report, "from"));
	put_time_pair(p, W_TO, json_text(report, "to"));
	html_put(&p->h, "</dl><p>$</p>",
	    say(p, json_is_true(json_object_get(report, "persons")) ? W_PERSONS : W_NO_PERSONS));
	json_array_foreach(json_object_get(report, "documents"), i, document)
	{
		put_processed(p, document);
	}
}

/* ---- around it ---- */

static bool is_replay(const json_t *report)
{
	const char *kind = json_text(report, "kind");

	return kind && strcmp(kind, "arkki-replay/1") == 0;
}

/* Those that turn the direction of text are told as JSON can: they stand in strings alone, and a value read back is the same. */
static void put_json(struct html *h, const struct buf *text)
{
	size_t from = 0;

	for (size_t i = 0; i < text->len; i++) {
		size_t n = utf8_turn(text->data + i, text->len - i);
		const unsigned char *u = (const unsigned char *)text->data + i;

		if (!n)
			continue;
		html_text_len(h, text->data + from, i - from);
		buf_addf(&h->out, "\\u%04x", (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u));
		i += n - 1;
		from = i + 1;
	}
	html_text_len(h, text->data + from, text->len - from);
}

static int put_data(struct page *p, const json_t *sealed, struct ark_error *err)
{
	json_t *whole =
	    json_pack("{s:O,s:O,s:O}", "report", json_object_get(sealed, "report"), "checkpoints",
		json_object_get(sealed, "checkpoints"), "note", json_object_get(sealed, "note"));
	struct buf text = BUF_INIT;
	int rc = whole ? json_write(&text, whole, err)
		       : ark_fail(err, ARK_EINPUT, "not a signed report");

	html_put(&p->h, "<footer><p>$</p><details><summary>$</summary>" PRE, say(p, W_CHECK),
	    say(p, W_DATA));
	if (!rc)
		put_json(&p->h, &text);
	html_raw(&p->h, "</pre></details></footer></body></html>\n");
	buf_wipe_free(&text);
	json_decref(whole);
	return rc;
}

static void put_part(struct page *p, const json_t *report)
{
	bool later =
	    json_text(report, "after") || json_is_true(json_object_get(report, "continued"));

	if (later || json_text(report, "until"))
		html_put(&p->h, "<p>$</p>", say(p, W_PART));
	if (json_array_size(json_object_get(report, "documents")) == 0)
		html_put(&p->h, "<p>$</p>", say(p, W_NO_DOCUMENTS));
}

int report_page(
    const json_t *sealed, enum http_language language, struct buf *out, struct ark_error *err)
{
	const json_t *report = json_object_get(sealed, "report");
	const char *title = words[is_replay(report) ? W_REPLAY : W_SUBJECT][language];
	struct page p = {.language = language};
	int rc;

	html_put(&p.h, "<!doctype html><html lang=\"$\"><head>", i18n_code(language));
	html_literal(&p.h, head, sizeof(head) - 1);
	html_put(&p.h, "<title>$</title></head><body><h1>$</h1><p>$</p><dl>", title, title,
	    json_text(report, "origin"));
	put_time_pair(&p, W_MADE, json_text(report, "made"));
	put_pair(&p, W_BY, json_text(report, "by"));
	if (is_replay(report))
		put_replay(&p, report);
	else
		put_subject(&p, report);
	put_part(&p, report);
	rc = put_data(&p, sealed, err);
	if (!rc && buf_failed(&p.h.out))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a page");
	if (rc)
		buf_free(&p.h.out);
	else
		*out = p.h.out;
	return rc;
}

/* ---- back from the page ---- */

static const char *const escapes[][2] = {
    {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&#39;", "'"}};

static void unescape(struct buf *out, const char *p, const char *end)
{
	while (p < end) {
		size_t i = 0, n = 0;

		for (; *p == '&' && i < sizeof(escapes) / sizeof(*escapes); i++) {
			n = strlen(escapes[i][0]);
			if ((size_t)(end - p) >= n && memcmp(p, escapes[i][0], n) == 0)
				break;
		}
		if (*p == '&' && i < sizeof(escapes) / sizeof(*escapes)) {
			buf_adds(out, escapes[i][1]);
			p += n;
		} else {
			buf_addc(out, *p++);
		}
	}
}

static bool language_read(const char *html, size_t len, enum http_language *ret)
{
	static const char start[] = "<!doctype html><html lang=\"";

	for (enum http_language l = HTTP_FI; l <= HTTP_EN; l++)
		if (len > sizeof(start) + 2 && memcmp(html, start, sizeof(start) - 1) == 0 &&
		    memcmp(html + sizeof(start) - 1, i18n_code(l), 2) == 0) {
			*ret = l;
			return true;
		}
	return false;
}

int report_page_read(const char *html, size_t len, json_t **ret, enum http_language *ret_language,
    struct ark_error *err)
{
	const char *from = memmem(html, len, PRE, sizeof(PRE) - 1), *to = NULL;
	struct buf text = BUF_INIT;
	int rc;

	if (from) {
		from += sizeof(PRE) - 1;
		to = memmem(from, (size_t)(html + len - from), "</pre>", 6);
	}
	if (!to || !language_read(html, len, ret_language))
		return ark_fail(err, ARK_EINPUT, "not the page of a report");
	unescape(&text, from, to);
	rc = buf_failed(&text) ? ark_fail(err, ARK_ENOMEM, "no memory for a report")
			       : json_read(text.data ? text.data : "", text.len, ret, err);
	buf_wipe_free(&text);
	return rc;
}
