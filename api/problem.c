#include "arkki/api/http.h"

#include "arkki/base/json.h"

struct title {
	int status;
	const char *text[3]; /* fi, sv, en */
};

static const struct title titles[] = {
    {400, {"Pyyntö on virheellinen", "Begäran är felaktig", "The request is malformed"}},
    {401, {"Kirjautuminen vaaditaan", "Inloggning krävs", "Authentication is required"}},
    {403, {"Ei oikeutta", "Ingen rätt", "Not permitted"}},
    {404, {"Ei löydy", "Hittades inte", "Not found"}},
    {405, {"Menetelmä ei käy tähän", "Metoden går inte att använda här",
	      "The method does not apply here"}},
    {406, {"Pyydettyä muotoa ei ole", "Det begärda formatet finns inte", "No acceptable format"}},
    {408, {"Pyyntö kesti liian kauan", "Begäran tog för länge", "The request took too long"}},
    {409, {"Ristiriita nykyisen tilan kanssa", "Konflikt med det nuvarande läget",
	      "Conflict with the current state"}},
    {410, {"Poistettu pysyvästi", "Borttagen för gott", "Gone for good"}},
    {411, {"Pituus puuttuu", "Längden saknas", "The length is missing"}},
    {412, {"Asiakirja on muuttunut", "Handlingen har ändrats", "The thing has changed meanwhile"}},
    {413, {"Sisältö on liian suuri", "Innehållet är för stort", "The content is too large"}},
    {414, {"Osoite on liian pitkä", "Adressen är för lång", "The address is too long"}},
    {415, {"Mediatyyppiä ei tueta", "Medietypen stöds inte", "The media type is not supported"}},
    {416, {"Aluetta ei ole", "Intervallet finns inte", "No such range"}},
    {417, {"Odotusta ei tueta", "Förväntningen stöds inte", "The expectation is not supported"}},
    {422, {"Tiedoissa on virheitä", "Uppgifterna innehåller fel", "The data has errors"}},
    {423, {"Käytössä toisaalla", "Används på annat håll", "In use elsewhere"}},
    {428, {"Ehto puuttuu", "Villkoret saknas", "A condition is required"}},
    {429, {"Liian monta pyyntöä", "För många förfrågningar", "Too many requests"}},
    {431, {"Otsakkeet ovat liian suuret", "Huvudena är för stora", "The headers are too large"}},
    {460,
	{"Tarkistussumma ei täsmää", "Kontrollsumman stämmer inte", "The checksum does not match"}},
    {500, {"Palvelimen virhe", "Fel på servern", "An error in the server"}},
    {501, {"Ei toteutettu", "Stöds inte", "Not implemented"}},
    {503, {"Palvelu ei ole nyt käytettävissä", "Tjänsten är inte tillgänglig just nu",
	      "The service is not available now"}},
    {505, {"HTTP-versiota ei tueta", "HTTP-versionen stöds inte",
	      "The HTTP version is not supported"}},
    {507, {"Tila ei riitä", "Utrymmet räcker inte", "Not enough space"}},
    /* the last two answer for every other status of their class */
    {499, {"Pyyntöä ei voi täyttää", "Begäran kan inte uppfyllas",
	      "The request cannot be fulfilled"}},
    {599, {"Palvelimen virhe", "Fel på servern", "An error in the server"}},
};

const char *problem_title(int status, enum http_language language)
{
	size_t n = sizeof(titles) / sizeof(*titles);
	const struct title *t = &titles[status >= 500 ? n - 1 : n - 2];

	for (size_t i = 0; i < n; i++) {
		if (titles[i].status == status)
			t = &titles[i];
	}
	return t->text[language <= HTTP_EN ? language : HTTP_FI];
}

void problem_write(struct buf *out, int status, const char *slug, enum http_language language,
    const char *detail, const json_t *errors)
{
	if (slug)
		buf_addf(out, "{\"type\":\"urn:arkki:problem:%s\",\"title\":", slug);
	else
		buf_adds(out, "{\"type\":\"about:blank\",\"title\":");
	json_quote(out, problem_title(status, language));
	buf_addf(out, ",\"status\":%d", status);
	if (detail) {
		buf_adds(out, ",\"detail\":");
		json_quote(out, detail);
	}
	if (errors) {
		buf_adds(out, ",\"errors\":");
		if (json_write(out, errors, NULL))
			out->failed = true;
	}
	buf_addc(out, '}');
}
