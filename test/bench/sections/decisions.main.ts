import 'reflect-metadata';
import { Authorizer, Catalog, type Decision, type Entry, type McpCall, type Principal } from '@sallyport/mcp';
import { decide, PolicyAuthorizer, type Policy } from '@sallyport/policy';
import { timeInTurns, type Timed } from '../timing.js';
import { contextOf, principals, startApplication, turnOf } from './bench-application.js';
import { reportSection, sectionSettings } from './report-section.js';
import { applicationSettings } from './settings.js';

function rowsOf(authorizer: PolicyAuthorizer, entries: readonly Entry[]): Timed[] {
  const plain = entries.filter(({ policy }) => policy.tenancy === 'required');
  const bound = entries.filter(({ policy }) => typeof policy.tenancy === 'object');
  const deciding = questioner(authorizer.policy);
  const calls = principals.flatMap((principal) => plain.map((entry) => callOf(entry, principal)));
  return [
    row('plain', 'permitted', deciding(plain, principals, 'permit')),
    row('bound', 'permitted, an argument compared', deciding(bound, principals, 'permit')),
    row('scopes', 'refused: scope', deciding(plain, changed({ scopes: ['bench:other'] }), 'refuse')),
    row('role', 'refused: role', deciding(plain, changed({ roles: ['bench:other'] }), 'refuse')),
    row('tenant', 'refused: argument', deciding(bound, changed({ tenant: 'globex' }), 'refuse')),
    row('authorize', 'permitted, as the gate asks', {
      decide: (turn) => decisionIn(authorizer.authorize(turnOf(calls, turn))),
      effect: 'permit',
    }),
  ];
}

interface Question {
  readonly decide: (turn: number) => Decision;
  /** Anything else is not what this row measures. */
  readonly effect: Decision['effect'];
}

function questioner(policy: Policy) {
  const now = Date.now();
  return (entries: readonly Entry[], who: readonly Principal[], effect: Decision['effect']): Question => ({
    decide: (turn) =>
      decide(policy, turnOf(who, turn), { entry: turnOf(entries, turn), now, arguments: ARGUMENTS }),
    effect,
  });
}

function row(id: string, label: string, question: Question): Timed {
  let turn = 0;
  const batch = (times: number) => {
    for (let done = 0; done < times; done += 1) {
      turn += 1;
      const decision = question.decide(turn);
      if (decision.effect !== question.effect) throw new Error(`"${label}" was decided otherwise.`);
      kept[turn % KEPT] = decision;
    }
  };
  return { id, label, batch };
}

/** Somebody could still read them, so none of their checks can be left out. */
const KEPT = 64;
const kept: Decision[] = [];

const ARGUMENTS = Object.freeze({ recordId: 'acme', limit: 10 });

function changed(changes: Partial<Principal>): Principal[] {
  return principals.map((principal) => Object.freeze({ ...principal, ...changes }));
}

function callOf(entry: Entry, principal: Principal): McpCall {
  const asked = { method: 'tools/call', target: entry.name, entry, arguments: ARGUMENTS } as const;
  return Object.freeze({ ...contextOf(principal), ...asked });
}

/** Rules would be waited for, and these entries have none. */
function decisionIn(answer: Decision | Promise<Decision>): Decision {
  if (answer instanceof Promise) throw new Error('A decision without rules is there at once.');
  return answer;
}

// What one decision costs by itself: nothing is recorded, nothing runs.
await reportSection(async () => {
  const { application, timing } = applicationSettings.parse(sectionSettings());
  const context = await startApplication(application);
  const authorizer = context.get(Authorizer, { strict: false });
  if (!(authorizer instanceof PolicyAuthorizer)) throw new Error('Another authorizer decides here.');
  const { entries } = context.get(Catalog, { strict: false });
  const results = await timeInTurns(rowsOf(authorizer, entries), timing);
  await context.close();
  return { results };
});
