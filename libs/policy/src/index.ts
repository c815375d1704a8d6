// The decision, and what it is made with.
export { decide, type Question, type RuleOutcome } from './decide.js';
export { isVisible } from './is-visible.js';
export { unmetRequirements } from './unmet-requirements.js';
export { CLOCK_TOLERANCE_SECONDS } from './sign-in-fault.js';
export { hierarchyOf, type Hierarchy, type Inclusions } from './hierarchy.js';
export { DEFAULT_POLICY, compilePolicy, type Policy, type PolicyOptions } from './policy.js';

// What the umbrella wires.
export { DEFAULT_DECISION_TIMEOUT_MS, PolicyAuthorizer, type AuthorizerParts } from './policy.authorizer.js';
export { PolicyRules, type RuleFinder } from './policy-rules.js';
export { ProvidedRoles } from './provided-roles.js';
export { PolicyInterceptor } from './policy.interceptor.js';
export { policyProblems } from './policy.problems.js';

// What has been revoked.
export {
  REVOCABLE,
  isRevocable,
  revocationView,
  type Revocable,
  type RevocationTarget,
} from './revocation/revocation.js';
export { LiveRevocations, type ActiveRevocation } from './revocation/live.revocations.js';
export { RevocationLog } from './revocation/revocation.log.js';
export {
  RevocationInputError,
  RevocationService,
  type RevocationAuthor,
} from './revocation/revocation.service.js';
export { RevocationModule, type RevocationOptions } from './revocation/revocation.module.js';

// Why a call is decided as it is, and who reaches what.
export { explanationOf, explanationText, type Explanation, type Told } from './explain/explanation.js';
export {
  policyMatrix,
  type MatrixRow,
  type MatrixTable,
  type PolicyMatrix,
} from './explain/policy-matrix.js';
export { matrixText } from './explain/matrix-text.js';

// What was reviewed, and who gains what since then.
export {
  lockOf,
  type Completed,
  type LockedEntry,
  type PolicyLock,
  type Surface,
} from './lock/policy-lock.js';
export { lockText } from './lock/lock-text.js';
export { PolicyLockError, readLock } from './lock/read-lock.js';
export {
  compareLocks,
  isUnchanged,
  type EntryDifference,
  type LockDifference,
  type MemberDifference,
} from './lock/compare-locks.js';
export { differenceText } from './lock/difference-text.js';
