import { Logger } from '@nestjs/common';
import type { CredentialRequest } from '@sallyport/mcp';
import { errorCodeOf } from '@sallyport/store';
import passport from 'passport';
import { readAuthorization } from '../bearer.js';
import { CredentialRefused, IssuerUnavailable } from '../refusals.js';
import { isWithin } from './address-ranges.js';
import type { ApiKeyRecord } from './api-key-record.entity.js';
import type { ApiKeyStore } from './api-key.store.js';
import { KEY_PREFIX, parseKey } from './key-format.js';
import type { KeyHasher } from './key-hash.js';

/** Vouches for the holders of keys, so that none of them is ever a person of some provider. */
export const API_KEY_ISSUER = 'sallyport:api-keys';

const HEADER = 'x-api-key';

/** What is looked at. */
type Presented = Pick<CredentialRequest, 'headers' | 'address'>;

export interface KeyRules {
  readonly environment: string;
  readonly acceptHeader: boolean;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** A key that is good, here and now. Holds neither the key nor its hash. */
export class VerifiedApiKey {
  readonly id: string;
  readonly series: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;

  constructor(record: ApiKeyRecord) {
    this.id = record.id;
    this.series = record.series;
    this.name = record.name;
    this.tenant = record.tenant;
    this.scopes = record.scopes;
    this.roles = record.roles;
    this.issuedAt = record.issuedAt;
    this.expiresAt = record.expiresAt;
  }
}

/** Whether there is something in the place of a key. */
export function carriesKey(request: Presented, { acceptHeader }: Pick<KeyRules, 'acceptHeader'>): boolean {
  const authorization = readAuthorization(request);
  if (authorization.kind === 'bearer') return authorization.token.startsWith(KEY_PREFIX);
  return authorization.kind === 'none' && acceptHeader && request.headers[HEADER] !== undefined;
}

/** Judges a key: its form before anything is asked, then its row by one query. Nothing of an answer is kept. */
export class ApiKeyStrategy extends passport.Strategy {
  override readonly name = 'api-key';
  // Passport derives an object from the strategy for each attempt, which `#private` members do not survive.
  private readonly logger = new Logger('ApiKeys');

  constructor(
    private readonly keys: Pick<ApiKeyStore, 'find'>,
    private readonly hasher: KeyHasher,
    private readonly rules: KeyRules,
  ) {
    super();
  }

  override authenticate(request: Presented): void {
    this.verify(request).then(
      (key) => this.success(key),
      (error: unknown) => (error instanceof CredentialRefused ? this.fail(error, 401) : this.error(error)),
    );
  }

  private async verify(request: Presented): Promise<VerifiedApiKey> {
    const key = parseKey(this.presented(request));
    if (key === undefined || key.environment !== this.rules.environment)
      throw new CredentialRefused('malformed');
    const record = await this.find(key.id);
    // The secret first: only who holds the key learns by the audit what became of it.
    if (!this.hasher.matches(key.text, record) || record === undefined)
      throw new CredentialRefused('no_such_key');
    if (record.revokedAt !== null) throw new CredentialRefused('revoked');
    if (record.expiresAt <= this.rules.clock()) throw new CredentialRefused('expired');
    if (!isWithin(request.address, record.ranges)) throw new CredentialRefused('address');
    return new VerifiedApiKey(record);
  }

  /** One credential: who sends two may mean either. */
  private presented(request: Presented): string {
    const authorization = readAuthorization(request);
    const header = this.rules.acceptHeader ? request.headers[HEADER] : undefined;
    if (authorization.kind === 'bearer' && header === undefined) return authorization.token;
    if (authorization.kind === 'none' && typeof header === 'string') return header;
    throw new CredentialRefused('malformed');
  }

  private async find(id: string): Promise<ApiKeyRecord | undefined> {
    try {
      return await this.keys.find(id);
    } catch (error) {
      this.logger.error(
        `API keys cannot be read (${errorCodeOf(error) ?? 'no code'}); the caller was refused.`,
      );
      throw new IssuerUnavailable(API_KEY_ISSUER);
    }
  }
}
