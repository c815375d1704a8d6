import { z } from 'zod';
import { parsePrincipal } from '../principal.schema.js';
import { isAddressRange } from './address-ranges.js';
import { ApiKeyRefused } from './api-key.errors.js';
import { LONGEST_OVERLAP_SECONDS } from './api-keys.options.js';
import { isKeyId } from './key-format.js';

const LONGEST_NAME = 100;
const MOST_RANGES = 64;

const names = z.array(z.string()).max(500);
const days = z.int().min(1);
const overlap = z.int().min(0).max(LONGEST_OVERLAP_SECONDS);
const keyId = z.string().refine(isKeyId, 'is no id of a key');

const issueSchema = z
  .strictObject({
    /** For people, and the `client` of the principal. */
    name: z.string().max(LONGEST_NAME),
    scopes: names.default([]),
    roles: names.default([]),
    /** Default: that of the issuer. `null`: none. */
    tenant: z.string().nullable().optional(),
    /** How long it lives. There is no default: a key without an end is not issued. */
    expiresInDays: days,
    /** Addresses it may be used from, such as `192.0.2.0/24`. Default: any. */
    ranges: z
      .array(z.string().refine(isAddressRange, 'is no address range such as 192.0.2.0/24'))
      .max(MOST_RANGES)
      .default([]),
  })
  .superRefine(({ name, scopes, roles, tenant }, context) => {
    // The schema of a principal judges now, or the key would be issued and never work.
    const draft = {
      issuer: 'x',
      subject: 'x',
      client: name,
      scopes,
      roles,
      ...(typeof tenant === 'string' && { tenant }),
    };
    const parsed = parsePrincipal(draft, 'api-key');
    if ('problem' in parsed)
      context.addIssue({ code: 'custom', message: parsed.problem.replace('client', 'name') });
  });

const rotateSchema = z.strictObject({
  id: keyId,
  /** How long the old key goes on working. */
  overlapSeconds: overlap.optional(),
  /** How long the new key lives. Default: as long as the old one was issued for. */
  expiresInDays: days.optional(),
});

const revokeSchema = z.strictObject({ id: keyId });
const listSchema = z.strictObject({});
const reportSchema = z.strictObject({ key: z.string().max(256) });

export type KeyRequest = z.input<typeof issueSchema>;
export type RotateRequest = z.input<typeof rotateSchema>;

/** @throws {@link ApiKeyRefused} `invalid`, with every issue */
export const readIssue = (value: unknown) => read(issueSchema, value);
/** @throws {@link ApiKeyRefused} `invalid`, with every issue */
export const readRotate = (value: unknown) => read(rotateSchema, value);
/** @throws {@link ApiKeyRefused} `invalid`, with every issue */
export const readRevoke = (value: unknown) => read(revokeSchema, value);
/** @throws {@link ApiKeyRefused} `invalid`, with every issue */
export const readList = (value: unknown) => read(listSchema, value);

/** The reported key, or `undefined`: a report is answered the same whatever it says. */
export function readReport(value: unknown): string | undefined {
  return reportSchema.safeParse(value).data?.key;
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ApiKeyRefused('invalid', result.error.issues.map(describe));
}

/** Paths and what is wrong with them; never a value. */
function describe({ path, message, code }: z.core.$ZodIssue): string {
  const says = code === 'unrecognized_keys' ? 'has unknown members' : message;
  return path.length === 0 ? says : `${path.join('.')}: ${says}`;
}
