/** How much harm an entry can do, in ascending order. */
export const RISKS = ['read', 'write', 'external', 'destructive'] as const;

/** `read` looks, `write` changes inside, `external` reaches outside, `destructive` cannot be undone. */
export type Risk = (typeof RISKS)[number];

export function isRisk(value: unknown): value is Risk {
  return typeof value === 'string' && RISKS.some((risk) => risk === value);
}

/** MCP tool annotations (hints for clients, never a security input), derived so that they cannot contradict the policy. */
export interface RiskAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint: boolean;
}

/** Derives the annotations of a tool from its risk (MCP `ToolAnnotations`). */
export function annotationsOf(risk: Risk): RiskAnnotations {
  return {
    readOnlyHint: risk === 'read',
    destructiveHint: risk === 'destructive',
    openWorldHint: risk === 'external',
  };
}
