import type { IdentitySource, PassportStrategy } from '../identity.source.js';
import { parsePrincipal, type PrincipalDraft } from '../principal.schema.js';

/** Who the one client of a local process is, when its environment brings no credential. */
export interface ProcessPrincipalOptions {
  /** Names the process in the audit, such as `nightly-report`. */
  readonly subject: string;
  readonly tenant?: string;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
}

/** The operating system has let this process start: there is no credential to look at, and none is looked for. */
const strategy: PassportStrategy = {
  name: 'process',
  authenticate(this: { success(user: object): void }): void {
    this.success({ via: 'stdio' });
  },
};

/**
 * The configured principal of a process on stdio. It stands in only where no credential came, and never over HTTP: a
 * token or key in `SALLYPORT_TOKEN` is judged by the other sources, and refused if it is not good.
 *
 * @throws TypeError when this is no principal, naming the member
 * @example
 * identity: [oidc({ issuer }), processPrincipal({ subject: 'nightly-report', tenant: 'acme', roles: ['agent:read-only'] })]
 */
export function processPrincipal(options: ProcessPrincipalOptions): IdentitySource {
  const { subject, tenant, scopes = [], roles = [] } = options;
  const draft: PrincipalDraft = {
    kind: 'process',
    issuer: 'process',
    subject,
    scopes: [...scopes],
    roles: [...roles],
    ...(tenant === undefined ? {} : { tenant }),
  };
  const parsed = parsePrincipal(draft, 'process');
  if ('problem' in parsed) throw new TypeError(`processPrincipal() is no principal: ${parsed.problem}.`);
  return {
    name: 'process',
    accepts: ({ via, headers }) => via === 'stdio' && headers['authorization'] === undefined,
    strategy,
    toPrincipal: () => draft,
  };
}
