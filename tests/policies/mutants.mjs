/* Each rule is needed as it is: a changed rule turns at least one case red.
 *
 * Rules are changed in Cedar's JSON form. The *plain* changes (a policy deleted, permit and forbid
 * exchanged, when and unless exchanged) must each change the decision of a case; their catch is
 * printed. So must the *deep* ones inside the conditions, except those in `alike` below.
 *
 * To be quick a changed policy is asked alone whether it applies, and the decision is put together
 * from what the other policies answered before.
 */
import { Judge, entitiesFor, policiesOf, readCases, readText } from './oracle.mjs';

/* Changes that change nothing that can be told apart, and why. */
const alike = new Map([
	['break-glass, condition 1: without "state-agency" (place 4)', 'the rule state-agency gives these roles all of it'],
	['break-glass, condition 2: right of && alone (place 0)', 'the rule drafts keeps the drafts of others; the own are in own-documents'],
]);

const copy = (value) => structuredClone(value);

/* Every place in `node` and below, as [node, replace(by)]. */
function* places(node, replace) {
	yield [node, replace];
	if (node === null || typeof node !== 'object')
		return;
	for (const name of Object.keys(node))
		yield* places(node[name], (by) => { node[name] = by; });
}

const other = { '&&': '||', '||': '&&', '==': '!=', '!=': '==', '<=': '<', '<': '<=', containsAll: 'containsAny', containsAny: 'containsAll' };

/* What may be written instead of one expression: [what changed, instead]. */
function instead(node) {
	const out = [];
	const [op] = Object.keys(node ?? {});
	if (node === null || typeof node !== 'object' || Array.isArray(node))
		return out;
	if (op === '&&' || op === '||') {
		out.push([`left of ${op} alone`, node[op].left], [`right of ${op} alone`, node[op].right]);
		out.push([`${op} as ${other[op]}`, { [other[op]]: node[op] }]);
	} else if (op === '!') {
		out.push(['! dropped', node['!'].arg]);
	} else if (op in other) {
		out.push([`${op} as ${other[op]}`, { [other[op]]: node[op] }]);
	} else if (op === 'Set' && node.Set.length > 1) {
		node.Set.forEach((item, i) => out.push([`without ${JSON.stringify(item.Value)}`, { Set: node.Set.filter((_, k) => k !== i) }]));
	}
	return out;
}

function* deepChanges(policy) {
	for (const [c, condition] of policy.conditions.entries()) {
		const dropped = copy(policy);
		dropped.conditions.splice(c, 1);
		yield [`condition ${c} dropped`, dropped];
		let at = 0;
		for (const [node] of places(condition.body, () => {})) {
			for (const [what, by] of instead(node)) {
				const changed = copy(policy);
				let n = 0;
				for (const [, replace] of places(changed.conditions[c].body, (whole) => { changed.conditions[c].body = whole; }))
					if (n++ === at) {
						replace(copy(by));
						break;
					}
				yield [`condition ${c}: ${what} (place ${at})`, changed];
			}
			at++;
		}
	}
	for (const [i, action] of (policy.action.entities ?? []).entries()) {
		const changed = copy(policy);
		changed.action.entities.splice(i, 1);
		yield [`without the action ${action.id}`, changed];
	}
	if (policy.principal.op === 'in')
		yield ['for every principal', { ...copy(policy), principal: { op: 'All' } }];
}

function* plainChanges(policy) {
	yield ['deleted', null];
	yield [policy.effect === 'permit' ? 'permit as forbid' : 'forbid as permit', { ...copy(policy), effect: policy.effect === 'permit' ? 'forbid' : 'permit' }];
	for (const [c, { kind }] of policy.conditions.entries()) {
		const changed = copy(policy);
		changed.conditions[c].kind = kind === 'when' ? 'unless' : 'when';
		yield [`condition ${c}: ${kind} as ${changed.conditions[c].kind}`, changed];
	}
}

/* No action is in a group, so that the scope alone says which actions a policy is about. */
function speaksOf({ action }, { id }) {
	return action.op === 'All' || (action.entities ?? [action.entity]).some((one) => one.id === id);
}

export function runMutants(report, policies) {
	const schema = readText('policies/arkki.cedarschema');
	const judge = new Judge(schema);
	const cases = readCases().flatMap(({ test, entities }) =>
		test.requests.map((request) => ({
			request: { ...request, validateRequest: false }, // it takes most of the time, and the cases do it
			entities: entitiesFor(request, entities),
		})));

	/* Whether the policy taken applies to a case. One that fails, as none of ours does, turns the case red by itself. */
	const applies = (policy, { request, entities }) => {
		if (!speaksOf(policy, request.action))
			return false;
		const answer = judge.decide(request, entities);
		return answer.errors.length > 0 ? 'fails' : answer.reason.length > 0;
	};
	const take = (policy) => judge.take({ policy0: policy });
	const held = policies.map((policy) => {
		take(policy);
		return cases.map((c) => applies(policy, c));
	});
	const decision = (i, changed) => {
		const effects = new Set();
		policies.forEach((policy, n) => {
			if (changed?.n !== n && held[n][i])
				effects.add(policy.effect);
		});
		const changedApplies = changed?.policy && applies(changed.policy, cases[i]);
		if (changedApplies === 'fails')
			return 'fails';
		if (changedApplies)
			effects.add(changed.policy.effect);
		return effects.has('permit') && !effects.has('forbid') ? 'allow' : 'deny';
	};
	const before = cases.map((_, i) => decision(i));
	/* The first case that a change turns red. */
	const caughtBy = (n, policy) => {
		if (policy)
			take(policy);
		return cases.find((_, i) => decision(i, { n, policy }) !== before[i])?.request.description;
	};

	let plain = 0;
	let deep = 0;
	const survivors = [];
	for (const [n, policy] of policies.entries()) {
		const faults = [];
		for (const [what, changed] of plainChanges(policy)) {
			const by = caughtBy(n, changed);
			plain++;
			console.log(`  ${policy.annotations.id}, ${what}: ${by ?? 'NOT CAUGHT'}`);
			if (!by)
				faults.push(`no case is against "${what}"`);
		}
		report(`test_policies__${policy.annotations.id.replaceAll('-', '_')}_cannot_be_turned`, faults);
		for (const [what, changed] of deepChanges(policy)) {
			const name = `${policy.annotations.id}, ${what}`;
			const by = caughtBy(n, changed);
			deep++;
			if (!by && !alike.has(name))
				survivors.push(name);
			if (by && alike.has(name))
				survivors.push(`${name}: is no longer alike, a case caught it: ${by}`);
			alike.delete(name);
		}
	}
	survivors.push(...[...alike.keys()].map((name) => `${name}: is there no more`));
	report('test_policies__no_part_of_a_condition_can_be_changed_unseen', survivors);
	console.log(`policies: ${plain} plain and ${deep} deep changes to ${policies.length} policies`);
}
