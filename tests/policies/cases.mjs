/* The shipped policies validate, and every case is decided as it says. */
import { Judge, entitiesFor, readCases, readText, validate } from './oracle.mjs';

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/* A person reads the cases: a sentence that says nothing, or says it twice, helps nobody. */
function sentenceFaults(files) {
	const seen = new Map();
	const faults = [];
	for (const { path, test } of files)
		for (const { description } of test.requests) {
			if (!/^[A-Z].{20,}\.$/.test(description))
				faults.push(`${path}: not a sentence: ${description}`);
			if (seen.has(description))
				faults.push(`${path}: said in ${seen.get(description)} too: ${description}`);
			seen.set(description, path);
		}
	return faults;
}

/* Every policy has an id of its own, a sentence in each language and a statute. */
function noteFaults(policies) {
	const ids = new Set();
	const faults = [];
	policies.forEach((policy, n) => {
		const notes = policy.annotations ?? {};
		if (!/^[a-z]+(-[a-z]+)*$/.test(notes.id ?? '') || ids.has(notes.id))
			faults.push(`policy${n}: @id "${notes.id}" is missing, not kebab-case or taken`);
		ids.add(notes.id);
		for (const name of ['fi', 'sv', 'en'])
			if (!/^\p{Lu}.{20,}\.$/u.test(notes[name] ?? ''))
				faults.push(`${notes.id}: @${name} is not a sentence`);
		if (!/\d+ §|verify/.test(notes.statute ?? ''))
			faults.push(`${notes.id}: @statute names no section`);
	});
	return faults;
}

export function runCases(report, policies) {
	const files = readCases();
	let count = 0;
	report('test_policies__validate_strictly', validate(readText('policies/arkki.cedarschema'), readText('policies/arkki.cedar')));
	report('test_policies__carry_id_sentences_and_statute', noteFaults(policies));
	report('test_policies__cases_are_sentences_said_once', sentenceFaults(files));
	for (const { path, test, entities } of files) {
		const judge = new Judge(readText(test.schema), readText(test.policies));
		const faults = [];
		for (const request of test.requests) {
			const { decision, reason, errors } = request;
			// every entity takes part now and then; each time would take minutes
			const answer = judge.decide(request, count++ % 50 === 0 ? entities : entitiesFor(request, entities));
			if (!same(answer, { decision, reason, errors }))
				faults.push(`${request.description}\n    expected ${JSON.stringify({ decision, reason, errors })}\n    got      ${JSON.stringify(answer)}`);
		}
		report(`test_policies__${path.replace(/^.*\/|\.json$/g, '').replaceAll('-', '_')}_are_decided_as_said`, faults);
	}
	console.log(`policies: ${count} cases in ${files.length} files`);
}
