import { strategyContract } from './strategy-contract.js';
import type { StrategyContractOptions } from './strategy-contract.options.js';

/** As much of Jest, Vitest or `node:test` as is needed. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown;
  it(name: string, run: () => Promise<void>): unknown;
}

/**
 * The checks of {@link strategyContract} as tests, one each.
 *
 * @param runner default: the global `describe` and `it`
 * @throws TypeError when there are none
 * @example describeStrategyContract('our strategy', { source, good: () => ({ authorization: `Bearer ${token}` }) });
 */
export function describeStrategyContract(
  name: string,
  options: StrategyContractOptions,
  runner: TestRunner = globalRunner(),
): void {
  runner.describe(name, () => {
    for (const check of strategyContract(options)) runner.it(check.name, () => check.run());
  });
}

function globalRunner(): TestRunner {
  const { describe, it } = globalThis as Partial<TestRunner>;
  if (typeof describe === 'function' && typeof it === 'function') return { describe, it };
  throw new TypeError(
    'There is no global describe() and it(): give them as third argument, or run the checks of strategyContract() yourself.',
  );
}
