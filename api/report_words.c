/* What a report's page says, in three languages. */
#include <string.h>

#include "api/report_page_private.h"

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

const char *report_say(const struct page *p, enum word w)
{
	return words[w][p->language];
}

const char *report_term(const struct page *p, const char *code, bool asked)
{
	size_t n = code ? strlen(code) : 0;

	for (size_t i = 0; n && i < sizeof(terms) / sizeof(*terms); i++)
		if (strncmp(terms[i].code, code, n) == 0 &&
		    strcmp(terms[i].code + n, asked ? "?" : "") == 0)
			return terms[i].words[p->language];
	return code;
}

const char *report_verdict_words(const struct page *p, const char *name)
{
	for (size_t i = 0; name && i < sizeof(verdicts) / sizeof(*verdicts); i++)
		if (strcmp(verdicts[i].name, name) == 0)
			return verdicts[i].words[p->language];
	return NULL;
}
