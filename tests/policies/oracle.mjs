/* Cedar's own implementation (cedar-wasm), asked about our policies and cases.
 *
 * A test is a file in the format of Cedar's integration tests; the paths in it start at the top of
 * the tree. Everything here answers with the ids policy0, policy1, … in the order of the text.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';

export const top = resolve(fileURLToPath(import.meta.url), '../../..');
export const version = cedar.getCedarVersion();

export const readText = (path) => readFileSync(join(top, path), 'utf8');

const words = (faults) => faults.map((f) => f.message + (f.help ? `: ${f.help}` : '')).join('; ');

function wanted(answer) {
	if (answer.type !== 'success')
		throw new Error(words(answer.errors));
	return answer;
}

/* Faults of strict validation as lines, and warnings too if those are faults here. */
export function validate(schema, policies, warnings = true) {
	const answer = wanted(cedar.validate({
		schema,
		policies: { staticPolicies: policies },
		validationSettings: { mode: 'strict' },
	}));
	return [...answer.validationErrors, ...(warnings ? answer.validationWarnings : [])].map((f) => `${f.policyId}: ${f.error.message}`);
}

/* The policies of a text as Cedar's JSON, in the order of their @id in the text: Cedar gives them as policy0,
 * policy1, policy10, … */
export function policiesOf(text) {
	const place = (policy) => text.indexOf(`@id("${policy.annotations.id}")`);
	return wanted(cedar.policySetTextToParts(text)).policies
		.map((part) => wanted(cedar.policyToJson(part)).json)
		.sort((a, b) => place(a) - place(b));
}

/* Something that decides requests under one schema and one policy set. The policies may be changed. */
export class Judge {
	static #count = 0;
	#schema = `schema${Judge.#count}`;
	#set = `set${Judge.#count++}`;

	constructor(schema, policies) {
		wanted(cedar.preparseSchema(this.#schema, schema));
		if (policies)
			this.take(policies);
	}

	/* A text, or {id: JSON}. Throws when Cedar does not take it. */
	take(policies) {
		wanted(cedar.preparsePolicySet(this.#set, { staticPolicies: policies }));
	}

	decide(request, entities) {
		const answer = wanted(cedar.statefulIsAuthorized({
			principal: request.principal,
			action: request.action,
			resource: request.resource,
			context: request.context,
			validateRequest: request.validateRequest ?? true,
			preparsedSchemaName: this.#schema,
			preparsedPolicySetId: this.#set,
			entities,
		})).response;
		const order = (a, b) => Number(a.slice(6)) - Number(b.slice(6));
		return {
			decision: answer.decision,
			reason: answer.diagnostics.reason.sort(order),
			errors: answer.diagnostics.errors.map((e) => e.policyId).sort(order),
		};
	}
}

/* [{path, test, entities}] of all files of cases. */
export function readCases() {
	const folder = 'policies/cases';
	return readdirSync(join(top, folder))
		.filter((name) => name.endsWith('.json'))
		.sort()
		.map((name) => {
			const path = `${folder}/${name}`;
			const test = JSON.parse(readText(path));
			return { path, test, entities: JSON.parse(readText(test.entities)) };
		});
}

const key = (uid) => `${uid.type}::${uid.id}`;

/* What a decision about this request can look at: the rules follow no entity further than this. */
export function entitiesFor(request, entities) {
	const asked = new Set([key(request.principal), key(request.resource)]);
	return entities.filter((e) => asked.has(key(e.uid)));
}
