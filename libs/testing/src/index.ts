// Does my own identity source, or Passport strategy, keep what Sallyport promises of authentication?
export { ContractBroken, strategyContract, type ContractCheck } from './strategy-contract.js';
export { describeStrategyContract, type TestRunner } from './describe-strategy-contract.js';
export type { BadExample, StrategyContractOptions, Supply } from './strategy-contract.options.js';
export type { CredentialHeaders } from './credential-headers.js';

// What may this caller do with my application?
export { policyMatrix, signInTo, type ListName, type SignIn, type TestCaller } from './sign-in-to.js';
export { ListRefused, type CallOutcome } from './call-outcome.js';
export {
  sallyportMatchers,
  type MatcherResult,
  type RefusedFor,
  type SallyportMatchers,
} from './matchers.js';
