import { Logger } from '@nestjs/common';
import {
  stackOf,
  uuidV7,
  type AdministrationAction,
  type AdministrationEvent,
  type AuditTrail,
  type Principal,
  type ServerIdentity,
} from '@sallyport/mcp';
import { errorCodeOf } from '@sallyport/store';
import type { ApiKeyRecord } from './api-key-record.entity.js';
import { ApiKeyRefused, type KeyRefusalReason } from './api-key.errors.js';
import type { ApiKeyStore } from './api-key.store.js';
import type { ApiKeyUses } from './api-key.uses.js';
import type { ApiKeySettings } from './api-keys.options.js';
import type { KeyEndings } from './key-endings.js';
import { newKey, parseKey } from './key-format.js';
import { widerThan, type Grants, type KeyReach } from './key-grants.js';
import type { KeyHasher } from './key-hash.js';
import { readIssue, readRevoke, readRotate } from './key-request.js';

const DAY_MS = 86_400_000;

/** Who manages keys, and from where. */
export interface Administrator {
  readonly principal: Principal;
  readonly via: AdministrationEvent['via'];
  readonly address: string | undefined;
  /** `principal`: no key reaches further than the principal does. `none`: who runs the server itself, on its machine. */
  readonly bounds: 'principal' | 'none';
}

/** Where somebody is who did not sign in. */
export type Reporter = Pick<Administrator, 'via' | 'address'>;

export type KeyState = 'active' | 'overlap' | 'expired' | 'revoked';

/** All that may be known of a key. */
export interface ApiKeyFacts {
  readonly id: string;
  readonly series: string;
  readonly name: string;
  readonly state: KeyState;
  readonly tenant: string | null;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly ranges: readonly string[];
  readonly issuedAt: Date;
  readonly issuedBy: { readonly issuer: string; readonly subject: string };
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly replacedBy: string | null;
  readonly lastUsed: { readonly at: Date; readonly entry: string | null } | null;
}

/** A new key, shown this once. */
export interface IssuedKey extends ApiKeyFacts {
  readonly key: string;
}

export interface RevokedKey extends ApiKeyFacts {
  /** Ids of keys of the same series that still work: one that was rotated lately, or its successor. */
  readonly stillWorking: readonly string[];
}

/** What a key is drawn from. */
type KeyOutline = Pick<ApiKeyRecord, 'name' | 'tenant' | 'scopes' | 'roles' | 'ranges'> &
  Partial<Pick<ApiKeyRecord, 'series'>>;

/** What the management of keys is made of. */
export interface ApiKeysParts {
  readonly keys: ApiKeyStore;
  readonly uses: ApiKeyUses;
  readonly hasher: KeyHasher;
  readonly settings: ApiKeySettings;
  readonly grants: Grants;
  readonly trail: AuditTrail;
  readonly endings: KeyEndings | undefined;
  readonly server: ServerIdentity;
  readonly clock: () => number;
}

/**
 * Issues, lists, rotates and revokes keys. Every change is recorded before it is made: what cannot be recorded does not
 * happen, and a change that then fails is recorded as one that did not happen.
 *
 * @throws {@link ApiKeyRefused} by every method
 */
export class ApiKeys {
  private readonly logger = new Logger('ApiKeys');

  constructor(private readonly parts: ApiKeysParts) {}

  async issue(by: Administrator, request: unknown): Promise<IssuedKey> {
    const { expiresInDays, tenant, ...asked } = readIssue(request);
    const reach = { ...asked, tenant: tenant === undefined ? (by.principal.tenant ?? null) : tenant };
    const { key, record } = this.draw(by, reach, this.checkedLife(expiresInDays));
    await this.checkReach(by, 'key.issued', record);
    await this.change(this.eventOf(by, 'key.issued', record), () => this.parts.keys.add(record));
    return { ...this.factsOf(record), key };
  }

  /** The keys of the administrator's tenant; without bounds, all. The newest first. */
  async list(by: Administrator): Promise<ApiKeyFacts[]> {
    const { keys, uses } = this.parts;
    await uses.write();
    const tenant = by.bounds === 'none' ? undefined : (by.principal.tenant ?? null);
    const records = await this.reached(() => keys.list(tenant));
    return records.map((record) => this.factsOf(record));
  }

  /** A new key with the same reach. The old one goes on working for the overlap, and not beyond its own end. */
  async rotate(by: Administrator, request: unknown): Promise<IssuedKey> {
    const { keys, settings, clock } = this.parts;
    const { id, overlapSeconds = settings.overlapSeconds, expiresInDays } = readRotate(request);
    const old = await this.find(by, 'key.rotated', id);
    await this.checkReach(by, 'key.rotated', old);
    if (this.stateOf(old) !== 'active') return this.refuse(by, 'key.rotated', id, 'conflict');
    const days = expiresInDays === undefined ? this.lifeOf(old) : this.checkedLife(expiresInDays);
    const { key, record } = this.draw(by, old, days);
    const endOfOld = Math.min(old.expiresAt, clock() + overlapSeconds * 1000);
    const details = { replacement: record.id, overlap: new Date(endOfOld).toISOString() };
    await this.change(this.eventOf(by, 'key.rotated', old, details), async () => {
      await keys.add(record);
      if (await keys.supersede(old.id, record.id, endOfOld)) return;
      // Somebody was faster. Nobody has seen the new secret, and nobody will.
      await keys.revoke(record.id, clock());
      throw new ApiKeyRefused('conflict');
    });
    return { ...this.factsOf(record), key };
  }

  /** Ends a key for the next call, and what runs with it. To end one again changes nothing. */
  async revoke(by: Administrator, request: unknown): Promise<RevokedKey> {
    const { keys } = this.parts;
    const { id } = readRevoke(request);
    const record = await this.find(by, 'key.revoked', id);
    if (record.revokedAt === null) await this.end(this.eventOf(by, 'key.revoked', record), id);
    const series = await this.reached(() => keys.ofSeries(record.series));
    const revoked = series.find((key) => key.id === id) ?? record;
    const working = series.filter((key) => ['active', 'overlap'].includes(this.stateOf(key)));
    return { ...this.factsOf(revoked), stillWorking: working.map((key) => key.id) };
  }

  /**
   * Somebody found a key where it should not be. A key that works is revoked; whatever else was reported, nothing is
   * done, and nobody is told which it was.
   */
  async report(from: Reporter, reported: string): Promise<void> {
    const { keys, hasher } = this.parts;
    const key = parseKey(reported);
    if (key === undefined) return;
    const record = await this.reached(() => keys.find(key.id));
    const isReal = hasher.matches(key.text, record);
    if (!isReal || record === undefined || !['active', 'overlap'].includes(this.stateOf(record))) return;
    await this.end(this.eventOf({ ...from, principal: undefined }, 'key.reported', record), record.id);
  }

  /** Records that an administrator, or who would be one, was refused. */
  async recordRefusal(
    by: Administrator,
    action: AdministrationAction,
    target: string,
    reason: string,
  ): Promise<void> {
    await this.record({ ...this.eventTo(by, action, target), reason });
  }

  /** What runs first: a row that is revoked already would not be tried again. */
  private async end(event: AdministrationEvent, id: string): Promise<void> {
    const { keys, endings, clock } = this.parts;
    await this.change(event, async () => {
      await endings?.end(id, event);
      await keys.revoke(id, clock());
    });
  }

  /** A new key and its row, with the reach of what was asked for or of the key that it replaces. */
  private draw(
    by: Administrator,
    { name, tenant, scopes, roles, ranges, series }: KeyOutline,
    days: number,
  ): { readonly key: string; readonly record: ApiKeyRecord } {
    const { hasher, settings, clock } = this.parts;
    const { id, environment, text } = newKey(settings.environment);
    const now = clock();
    const record: ApiKeyRecord = {
      id,
      series: series ?? id,
      name,
      environment,
      tenant,
      scopes,
      roles,
      ranges,
      ...hasher.hash(text),
      issuedAt: now,
      issuedByIssuer: by.principal.issuer,
      issuedBySubject: by.principal.subject,
      expiresAt: now + days * DAY_MS,
      revokedAt: null,
      replacedBy: null,
      lastUsedAt: null,
      lastUsedEntry: null,
    };
    return { key: text, record };
  }

  /** As many days as a key was issued for, and not more than one may be now. */
  private lifeOf({ issuedAt, expiresAt }: ApiKeyRecord): number {
    return Math.min(Math.ceil((expiresAt - issuedAt) / DAY_MS), this.parts.settings.longestLifeDays);
  }

  private checkedLife(days: number): number {
    const { longestLifeDays } = this.parts.settings;
    if (days <= longestLifeDays) return days;
    throw new ApiKeyRefused('invalid', [`expiresInDays: no key lives longer than ${longestLifeDays} days`]);
  }

  /** A key of another tenant is not there. */
  private async find(by: Administrator, action: AdministrationAction, id: string): Promise<ApiKeyRecord> {
    const record = await this.reached(() => this.parts.keys.find(id));
    if (record === undefined) return this.refuse(by, action, id, 'unknown');
    const isOwn = by.bounds === 'none' || record.tenant === (by.principal.tenant ?? null);
    return isOwn ? record : this.refuse(by, action, id, 'unknown');
  }

  /** Also when a key is rotated: its new secret must not open more than its new holder could open before. */
  private async checkReach(
    by: Administrator,
    action: AdministrationAction,
    reach: KeyReach & { readonly id: string },
  ): Promise<void> {
    if (by.bounds === 'none') return;
    const excess = widerThan(by.principal, reach, this.parts.grants);
    if (excess.length > 0) await this.refuse(by, action, reach.id, 'too_wide', excess);
  }

  private async refuse(
    by: Administrator,
    action: AdministrationAction,
    target: string,
    reason: KeyRefusalReason,
    issues: readonly string[] = [],
  ): Promise<never> {
    await this.recordRefusal(by, action, target, reason);
    throw new ApiKeyRefused(reason, issues);
  }

  /** First the record, then the change; and when that fails, a second record that says so. */
  private async change(event: AdministrationEvent, make: () => Promise<unknown>): Promise<void> {
    await this.record(event);
    try {
      await this.reached(make);
    } catch (error) {
      const reason = error instanceof ApiKeyRefused ? error.reason : 'unavailable';
      await this.record({ ...event, id: uuidV7(), at: new Date(), reason });
      throw error;
    }
  }

  private async record(event: AdministrationEvent): Promise<void> {
    try {
      await this.parts.trail.record(event);
    } catch (error) {
      this.logger.error(`The record of ${event.action} could not be committed.`, stackOf(error));
      throw new ApiKeyRefused('unavailable');
    }
  }

  private async reached<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ApiKeyRefused) throw error;
      this.logger.error(
        `The API keys cannot be reached (${errorCodeOf(error) ?? 'no code'}).`,
        stackOf(error),
      );
      throw new ApiKeyRefused('unavailable');
    }
  }

  private eventOf(
    by: Omit<Administrator, 'principal' | 'bounds'> & { readonly principal: Principal | undefined },
    action: AdministrationAction,
    record: ApiKeyRecord,
    more: Readonly<Record<string, string>> = {},
  ): AdministrationEvent {
    const { name, series, tenant, scopes, roles, ranges, expiresAt } = record;
    const details = {
      name,
      series,
      tenant: tenant ?? '',
      scopes: scopes.join(' '),
      roles: roles.join(' '),
      ranges: ranges.join(' '),
      expires: new Date(expiresAt).toISOString(),
      ...more,
    };
    return { ...this.eventTo(by, action, record.id), details };
  }

  private eventTo(
    by: Omit<Administrator, 'principal' | 'bounds'> & { readonly principal: Principal | undefined },
    action: AdministrationAction,
    target: string,
  ): AdministrationEvent {
    const { via, address, principal } = by;
    const { server } = this.parts;
    const at = new Date();
    return {
      kind: 'administration',
      id: uuidV7(),
      at,
      server,
      via,
      address,
      actor: principal,
      action,
      target,
      details: {},
    };
  }

  private stateOf(record: ApiKeyRecord): KeyState {
    if (record.revokedAt !== null) return 'revoked';
    if (record.expiresAt <= this.parts.clock()) return 'expired';
    return record.replacedBy === null ? 'active' : 'overlap';
  }

  private factsOf(record: ApiKeyRecord): ApiKeyFacts {
    const { id, series, name, tenant, scopes, roles, ranges, revokedAt, replacedBy, lastUsedAt } = record;
    return {
      id,
      series,
      name,
      state: this.stateOf(record),
      tenant,
      scopes,
      roles,
      ranges,
      issuedAt: new Date(record.issuedAt),
      issuedBy: { issuer: record.issuedByIssuer, subject: record.issuedBySubject },
      expiresAt: new Date(record.expiresAt),
      revokedAt: revokedAt === null ? null : new Date(revokedAt),
      replacedBy,
      lastUsed: lastUsedAt === null ? null : { at: new Date(lastUsedAt), entry: record.lastUsedEntry },
    };
  }
}
