/* Fills in `reason` of the cases, and lays their files out: `node tests/policies/fill-reasons.mjs --write`.
 *
 * Which policies determine a decision follows from the text, and their numbers change when a policy is
 * added: so Cedar fills them in. What is decided does not follow from the text: a case whose decision
 * differs is told and left as it is, for a person to judge. Without --write nothing is written.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Judge, entitiesFor, readCases, readText, top } from './oracle.mjs';

const spaced = (value) => JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ').replace(/([[{]) /g, '$1').replace(/ ([\]}])/g, '$1');

const fields = (object, indent) =>
	Object.entries(object).map(([name, value]) => `${indent}${JSON.stringify(name)}: ${spaced(value)}`).join(',\n');

function layOut({ requests, ...head }) {
	const each = requests.map((request) => `  {\n${fields(request, '   ')}\n  }`);
	return `{\n${fields(head, ' ')},\n "requests": [\n${each.join(',\n')}\n ]\n}\n`;
}

let differing = 0;
for (const { path, test, entities } of readCases()) {
	const judge = new Judge(readText(test.schema), readText(test.policies));
	for (const request of test.requests) {
		const answer = judge.decide(request, entitiesFor(request, entities));
		if (answer.decision !== request.decision || answer.errors.length > 0) {
			console.log(`${path}: ${request.description}\n  says ${request.decision}, Cedar ${JSON.stringify(answer)}`);
			differing++;
		} else {
			request.reason = answer.reason;
		}
	}
	if (process.argv.includes('--write'))
		writeFileSync(join(top, path), layOut(test));
}
console.log(`${differing} cases are decided otherwise than they say`);
process.exit(differing ? 1 : 0);
