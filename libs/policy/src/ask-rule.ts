import { Logger } from '@nestjs/common';
import { stackOf, type RuleAnswer } from '@sallyport/mcp';
import type { RuleOutcome } from './decide.js';

const LONGEST_REASON = 200;

const NO_ANSWER: RuleOutcome = { permits: false, detail: 'gave no answer in time' };
const THREW: RuleOutcome = { permits: false, detail: 'threw' };

/**
 * Asks one rule. Exactly `true` permits; whatever else comes, and however it fails to come, refuses. A rule that threw looks
 * to the caller like one that refused: telling them apart would tell of what is hidden. The log has the error.
 */
export async function askRule(
  name: string,
  ask: () => RuleAnswer | Promise<RuleAnswer>,
  timeoutMs: number,
): Promise<RuleOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<RuleOutcome>((resolve) => {
    timer = setTimeout(() => {
      new Logger('Sallyport').error(`The rule ${name} gave no answer within ${timeoutMs} ms; it refuses.`);
      resolve(NO_ANSWER);
    }, timeoutMs);
  });
  try {
    return await Promise.race([answer(name, ask), limit]);
  } finally {
    clearTimeout(timer);
  }
}

async function answer(name: string, ask: () => RuleAnswer | Promise<RuleAnswer>): Promise<RuleOutcome> {
  try {
    return outcomeOf(await ask());
  } catch (error) {
    new Logger('Sallyport').error(`The rule ${name} threw; it refuses.`, stackOf(error));
    return THREW;
  }
}

function outcomeOf(given: unknown): RuleOutcome {
  if (given === true) return { permits: true, detail: 'permits' };
  if (typeof given !== 'string' || given === '') return { permits: false, detail: 'refuses' };
  return { permits: false, detail: `refuses, ${given.slice(0, LONGEST_REASON)}` };
}
