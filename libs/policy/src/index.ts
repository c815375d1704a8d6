// The decision, and what it is made with.
export { decide, type Question } from './decide.js';
export { isVisible } from './is-visible.js';
export { missingScopes } from './missing-scopes.js';
export { sufficesRole } from './suffices-role.js';
export { hierarchyOf, type Hierarchy, type Inclusions } from './hierarchy.js';
export { DEFAULT_POLICY, compilePolicy, type Policy, type PolicyOptions } from './policy.js';

// What the umbrella wires.
export { PolicyAuthorizer } from './policy.authorizer.js';
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
