import type { Problem } from '@sallyport/mcp';
import type { SallyportOptions } from '../sallyport.options.js';

/** Who revokes over HTTP, and where. */
export interface RevocationManagement {
  /** Role of an administrator. With a tenant, they reach the callers of that tenant and no further. */
  readonly role: string;
  /** What they must have consented to. Default `revocations:manage`. */
  readonly scope?: string;
  /** Default `/revocations`. */
  readonly path?: string;
}

/** With its defaults; `undefined`: revocations are managed by the `sallyport` command alone. */
export function revocationManagement({
  revocations,
}: SallyportOptions): Required<RevocationManagement> | undefined {
  const manage = revocations?.manage;
  if (manage === undefined) return undefined;
  return {
    role: manage.role,
    scope: manage.scope ?? 'revocations:manage',
    path: manage.path ?? '/revocations',
  };
}

/** What is wrong with who may revoke, and where. */
export function managementProblems(options: SallyportOptions): Problem[] {
  const manage = revocationManagement(options);
  if (manage === undefined) return [];
  const problems: Problem[] = [];
  const { roles = {} } = options;
  if (!Object.entries(roles).flat(2).includes(manage.role)) {
    const message = `Revocations are managed by the role "${manage.role}", which is not configured: add it to roles: { '${manage.role}': [] }, or correct its name.`;
    problems.push({ code: 'unknown_role', message });
  }
  const endpoint = URL.canParse(options.resource) ? new URL(options.resource).pathname : '';
  if (!/^(?:\/[A-Za-z0-9._~-]+)+$/.test(manage.path) || manage.path === endpoint) {
    const message =
      "revocations.manage.path must be a plain path other than the endpoint's: write one such as '/revocations'.";
    problems.push({ code: 'revocation_manage', message });
  }
  return problems;
}
