import type { Token } from './tokens.js';

/** `mark`: a savepoint is made, released or gone back to. */
export type TransactionStep = 'begin' | 'commit' | 'rollback' | 'mark';

const STEPS: ReadonlyMap<string, TransactionStep> = new Map<string, TransactionStep>([
  ['begin', 'begin'],
  ['start', 'begin'],
  ['commit', 'commit'],
  ['end', 'commit'],
  ['rollback', 'rollback'],
  ['abort', 'rollback'],
  ['savepoint', 'mark'],
  ['release', 'mark'],
]);

/** What a statement does to a transaction; `undefined` for all others. */
export function transactionStep([first, second, third]: readonly Pick<Token, 'name'>[]):
  TransactionStep | undefined {
  const step = STEPS.get(first?.name ?? '');
  // ROLLBACK TO, ROLLBACK TRANSACTION TO.
  return step === 'rollback' && (second?.name === 'to' || third?.name === 'to') ? 'mark' : step;
}

/** The same of the plain statements that TypeORM writes, in which nobody hides anything. */
export function transactionStepOf(statement: string): TransactionStep | undefined {
  if (!/^[A-Z]+(?: [\w ]+)?$/.test(statement) || statement.length > 60) return undefined;
  return transactionStep(statement.split(' ').map((word) => ({ name: word.toLowerCase() })));
}
