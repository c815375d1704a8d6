import { checksFor } from './checks.js';
import { gatherEvidence, type Evidence } from './evidence.js';
import type { StrategyContractOptions } from './strategy-contract.options.js';

/** One promise that is kept or not. Any test runner can run it: `run` rejects with a {@link ContractBroken}. */
export interface ContractCheck {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A promise is not kept. The message is a sentence that says what is wrong, and quotes no credential. */
export class ContractBroken extends Error {
  readonly code = 'contract_broken';

  constructor(
    /** Name of the check. */
    readonly check: string,
    problem: string,
  ) {
    super(problem);
    this.name = 'ContractBroken';
  }
}

/**
 * What Sallyport promises of authentication, as checks of one identity source: a strategy of your own in
 * `passportIdentity()`, or any other. The source is asked as a server would ask it, about a hundred bad credentials among
 * others, once: when the first check runs. Each check judges what was seen.
 *
 * @example
 * ```ts
 * for (const { name, run } of strategyContract({ source: acme, good: async () => ({ authorization: `Bearer ${await token()}` }) })) {
 *   test(name, run);
 * }
 * ```
 */
export function strategyContract(options: StrategyContractOptions): ContractCheck[] {
  let evidence: Promise<Evidence> | undefined;
  return checksFor((options.bad ?? []).map(({ what }) => what)).map(({ name, problem }) => ({
    name,
    run: async () => {
      evidence ??= gatherEvidence(options);
      const broken = problem(await evidence);
      if (broken !== undefined) throw new ContractBroken(name, broken);
    },
  }));
}
