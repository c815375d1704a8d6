import { isScopeToken, type Principal } from '@sallyport/mcp';
import { z } from 'zod';
import { deepFreeze } from './deep-freeze.js';
import { frozenJson } from './frozen-json.js';
import { isRecord } from './is-record.js';

/** Control, format (bidirectional overrides, zero width), surrogate and line separator characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** What `String(user.id)` makes of an id that is not there: not a name, but a bug that would merge all callers. */
const NOBODY = new Set(['undefined', 'null', 'NaN', '[object Object]']);

const text = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((value) => !UNPRINTABLE.test(value), 'has a control character')
    .refine((value) => value.trim() === value, 'has white space around it');

const name = (longest: number) => text(longest).refine((value) => !NOBODY.has(value), 'names nobody');
const url = text(2048);
const seconds = z.int().nonnegative();
const unique = (values: string[]): string[] => [...new Set(values)];

function frozenClaims(claims: Record<string, unknown>, context: z.RefinementCtx): Record<string, unknown> {
  try {
    const copy = frozenJson(claims);
    if (isRecord(copy)) return copy;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  context.addIssue({ code: 'custom', message: 'is not plain JSON' });
  return z.NEVER;
}

const principalSchema = z.strictObject({
  kind: z.enum(['user', 'client', 'api-key', 'process']).default('user'),
  issuer: url,
  subject: name(512),
  client: name(2048).optional(),
  actors: z
    .array(z.strictObject({ issuer: url.optional(), subject: name(512) }))
    .max(8)
    .default([]),
  tenant: name(255).optional(),
  scopes: z
    .array(z.string().max(255).refine(isScopeToken, 'is not a scope token'))
    .max(500)
    .default([])
    .transform(unique),
  roles: z.array(name(255)).max(500).default([]).transform(unique),
  credential: z
    .strictObject({
      kind: text(64).optional(),
      id: text(512).optional(),
      issuedAt: seconds.optional(),
      expiresAt: seconds.optional(),
      authenticatedAt: seconds.optional(),
      acr: text(255).optional(),
    })
    .default({}),
  claims: z.record(z.string(), z.unknown()).default({}).transform(frozenClaims),
});

/**
 * What a mapping returns. Only `issuer` and `subject` are required; unknown members are refused, and so are control
 * characters, blanks around a name, and more or longer values than a real principal has.
 */
export type PrincipalDraft = z.input<typeof principalSchema>;

export type ParsedPrincipal =
  | { readonly principal: Principal }
  /** Member paths and what is wrong with them; never a value. */
  | { readonly problem: string };

/** The one gate to a {@link Principal}: every source passes through it. */
export function parsePrincipal(draft: unknown, credentialKind: string): ParsedPrincipal {
  const result = principalSchema.safeParse(draft);
  if (!result.success) return { problem: result.error.issues.map(describeIssue).join('; ') };
  const { credential, ...rest } = result.data;
  return {
    principal: deepFreeze({
      ...rest,
      credential: { ...credential, kind: credential.kind ?? credentialKind },
    }),
  };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  // Below `claims`, a path would quote the names of claims of a caller.
  const path = issue.path[0] === 'claims' ? 'claims' : issue.path.join('.');
  return `${path || 'the whole'}: ${issue.code === 'unrecognized_keys' ? 'has unknown members' : issue.message}`;
}
