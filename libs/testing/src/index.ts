// Does my own identity source, or Passport strategy, keep what Sallyport promises of authentication?
export { ContractBroken, strategyContract, type ContractCheck } from './strategy-contract.js';
export { describeStrategyContract, type TestRunner } from './describe-strategy-contract.js';
export type { BadExample, StrategyContractOptions, Supply } from './strategy-contract.options.js';
export type { CredentialHeaders } from './credential-headers.js';
