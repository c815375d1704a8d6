import { z } from 'zod';

const plainSettings = z.object({
  tools: z.int().positive(),
});

export const sallyportSettings = plainSettings.extend({
  platform: z.enum(['fastify', 'express']),
  /** `public`: the tools ask for no credential. `bound`: every other one compares an argument with the tenant, too. */
  access: z.enum(['guarded', 'public', 'bound']),
  issuer: z.url(),
  resource: z.url(),
  /** Path of the application's SQLite file. */
  database: z.string(),
  /** Of a PostgreSQL database, in the place of the SQLite file. */
  postgres: z.url().optional(),
  /**
   * `durable`: beside the application's tables, as it is by default. `signed`: in a signed log as well. `memory`: gone with
   * the process. `off`: nowhere.
   */
  audit: z.enum(['durable', 'signed', 'memory', 'off']),
  /** Whether it takes API keys as well; it then issues one, and tells the bench. */
  keys: z.boolean(),
  /** `off`: every token is verified with every call. */
  tokenCache: z.enum(['default', 'off']),
  /** `lifted`: each credential that is not good is judged and recorded by itself, however many come. */
  failureLimit: z.enum(['default', 'lifted']),
});

export type PlainSettings = z.infer<typeof plainSettings>;
export type SallyportSettings = z.infer<typeof sallyportSettings>;

/** The settings that the bench gave this process: its only argument, as JSON. */
export function readPlainSettings(): PlainSettings {
  return plainSettings.parse(JSON.parse(process.argv[2] ?? ''));
}

export function readSallyportSettings(): SallyportSettings {
  return sallyportSettings.parse(JSON.parse(process.argv[2] ?? ''));
}
