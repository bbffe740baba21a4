// How the last word of a search may go on, asked for when typing pauses: each answer is an entry of the log.
// Every page works without this.
"use strict";
(() => {
	let field, list, timer, asked = "";
	const show = (found) => {
		list.replaceChildren(...found.map((s) => {
			const option = document.createElement("option");
			option.value = s.query;
			if (s.text !== s.query) option.label = s.text;
			return option;
		}));
	};
	const ask = async () => {
		const typed = field.value;
		if (typed === asked || [...(typed.match(/[^\s"()+:]*$/) ?? [""])[0]].length < 2) return;
		asked = typed;
		try {
			const answer = await fetch(`${list.dataset.from}?q=${encodeURIComponent(typed)}`);
			const body = answer.ok ? await answer.json() : { suggestions: [] };
			if (field.value === typed) show(body.suggestions);
		} catch {
			// the search itself does not need it
		}
	};
	const begin = () => {
		field = document.getElementById("q");
		list = document.getElementById("suggestions");
		if (!field || !list) return;
		field.addEventListener("input", () => {
			clearTimeout(timer);
			timer = setTimeout(ask, 350);
		});
	};
	addEventListener("arkki-found", begin); // finding.js: the form is a new one
	begin();
})();
// The code of an invitation comes in the part of the address that no server sees: into the field, and out of the address.
(() => {
	const field = document.getElementById("code");
	if (!field || !/^\/(fi|sv|en)\/join$/.test(location.pathname)) return;
	const take = () => {
		const given = location.hash.match(/^#([A-Za-z0-9_-]{20,100})$/);
		if (!given) return;
		field.value = given[1];
		history.replaceState(null, "", location.pathname);
	};
	addEventListener("hashchange", take);
	take();
})();
