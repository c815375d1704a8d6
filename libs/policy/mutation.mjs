// The specs of the deciding code as one test file, for `npm run mutation` alone: what they all load is then loaded once for
// each mutant, and not once for each spec.
import fc from 'fast-check';
import './src/ask-rule.spec.js';
import './src/check-sentences.spec.js';
import './src/class-policy.spec.js';
import './src/decide.spec.js';
import './src/hierarchy.spec.js';
import './src/is-visible.spec.js';
import './src/policy.spec.js';
import './src/policy-rules.spec.js';
import './src/policy.authorizer.spec.js';
import './src/policy.problems.spec.js';
import './src/unmet-requirements.spec.js';
import '../mcp/src/catalog/combine-policy.spec.js';
import '../mcp/src/catalog/requirement.spec.js';
import '../mcp/src/gate/current-roles.spec.js';

// A score must not depend on luck, and the smallest example of a mutant's mistake interests nobody.
fc.configureGlobal({ seed: 4, endOnFailure: true });
