import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { uuidV7, type AdministrationEvent, type AuditTrail, type ServerIdentity } from '@sallyport/mcp';
import { errorCodeOf, faultOf } from '@sallyport/store';

import type { AuditStore } from '../audit.store.js';
import type { AuditFollowers } from '../export/follow/audit-followers.js';
import { AuditFollower } from '../export/follow/audit-follower.entity.js';
import type { AuditLog } from '../log/audit-log.js';
import { pooledConnection } from '../log/log-connection.js';
import type { LogKeys, OpenedCheckpoint } from '../log/log-keys.js';
import { LogRows, type Seal } from '../log/log-rows.js';
import { AuditLogError } from '../log/log.errors.js';
import { newestSigned } from '../log/newest-signed.js';
import { safeText } from '../safe-text.js';
import type { AuditViewer } from '../reading/audit-disclosure.js';
import { announced, isSameRange, type Announcement, type SealedRange } from './announcement.js';
import { checkSealedFile, type CheckedSealedFile } from './check-sealed-file.js';
import { deleteSealed, isDeleted } from './delete-sealed.js';
import { openMaintenance, sealingRefused, sealingStopped, type Maintenance } from './maintenance.js';
import { MissingRecordError, planSeal, type SealLimit, type SealPlan } from './seal-plan.js';
import { SealRows } from './seal-rows.js';
import { writeSealedFile } from './sealed-file.js';
import { SealedFileError } from './sealed-file.error.js';
import { sealsHolding, type SealedPlace } from './whereabouts.js';

export interface SealingParts {
  readonly store: AuditStore;
  readonly log: AuditLog;
  readonly trail: AuditTrail;
  readonly followers: Pick<AuditFollowers, 'status'>;
  readonly server: ServerIdentity;
}

export interface SealRequest {
  /** Only records that are older. */
  readonly before: Date;
  /** Path of the file that they are exported to. */
  readonly out: string;
  /** Of the same PostgreSQL, as a role that may seal. Default: as the server. */
  readonly database?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was done, or `records: 0` and why nothing could be. */
export interface SealReport {
  readonly records: number;
  /** Indices of the leaves, both included. */
  readonly range: SealedRange | undefined;
  /** Why not more; `undefined` when an interrupted run was finished. */
  readonly endedBy: SealLimit | undefined;
}

/** Within which one batch is deleted, over a connection of another role. */
const STATEMENT_MS = 60_000;
/** How long the record of a seal may take to be signed. */
const SIGNING_MS = 30_000;
const POLL_MS = 200;

/**
 * Retention: takes the oldest records out of the database, after they were exported. The hashes of their leaves stay, so
 * the log can be verified as before, and the file by itself.
 *
 * Each step leaves a state that the next run goes on from: the file, whole and read back; the record `audit.sealed` in the
 * signed log; the row of the seal; the deletion. Nothing is deleted before all the others are there.
 */
export class AuditSealing {
  private readonly rows: LogRows;
  private readonly seals: SealRows;

  constructor(private readonly parts: SealingParts) {
    const { store } = parts.store;
    const connection = pooledConnection(store);
    this.rows = new LogRows(connection, store.dataSource);
    this.seals = new SealRows(connection, store.dataSource);
  }

  /**
   * What could be sealed now. Changes nothing.
   *
   * @throws AuditLogError when the log is not signed, or not intact at its beginning
   */
  async plan(before: Date): Promise<SealPlan> {
    return (await this.prepare(before)).plan;
  }

  /**
   * Exports, announces, and deletes; or finishes what an earlier run began.
   *
   * @throws AuditLogError with what to do; then nothing was deleted that is not in a verified file
   */
  async seal(request: SealRequest, author: AuditViewer): Promise<SealReport> {
    const maintenance = await openMaintenance(this.parts.store.store, request.database, STATEMENT_MS);
    try {
      return (
        (await this.finishInterrupted(request, maintenance)) ??
        (await this.begin(request, author, maintenance))
      );
    } catch (error) {
      throw sealingRefused(error) ?? sealingStopped(error) ?? error;
    } finally {
      await maintenance.close();
    }
  }

  /** Sealed ranges that may hold a record with this id, by the time in it when it has one; the oldest first. */
  async whereabouts(id: string): Promise<SealedPlace[]> {
    return sealsHolding(id, await this.rows.seals(), await this.seals.announcements());
  }

  private async prepare(before: Date): Promise<{ plan: SealPlan; checkpoint: OpenedCheckpoint | undefined }> {
    const { keys } = this.parts.log;
    const from = firstUnsealed(await this.announcedSeals());
    const checkpoint = await newestOf(this.rows, keys);
    const bounds = {
      from,
      signed: checkpoint?.size ?? 0,
      before: before.getTime(),
      shipped: await this.shippedUpTo(),
      now: Date.now(),
    };
    try {
      return { plan: await planSeal(this.seals, bounds), checkpoint };
    } catch (error) {
      if (!(error instanceof MissingRecordError)) throw error;
      throw new AuditLogError(`${error.message} Nothing is sealed over it: run sallyport audit verify.`);
    }
  }

  /** The number that every sink of this application has confirmed. */
  private async shippedUpTo(): Promise<number | undefined> {
    const names = this.parts.followers.status.map(({ name }) => name);
    if (names.length === 0) return undefined;
    const stored = await this.parts.store.store.run((manager) => manager.find(AuditFollower));
    const position = new Map(stored.map((row) => [row.name, row.position]));
    return Math.min(...names.map((name) => position.get(name) ?? 0));
  }

  private async begin(
    { before, out, onProgress = () => undefined }: SealRequest,
    author: AuditViewer,
    maintenance: Maintenance,
  ): Promise<SealReport> {
    const name = fileName(out);
    const { plan, checkpoint } = await this.prepare(before);
    if (plan.to === undefined || checkpoint === undefined)
      return { records: 0, range: undefined, endedBy: plan.endedBy };
    const range = { from: plan.from, to: plan.to };
    const exists = await this.write(out, range, checkpoint, onProgress);
    const file = await this.checked(out);
    if (exists) requireUsable(file, range, out);
    const sealed = sealedRange(file, name);
    await this.announce({ ...sealed, ...timesOf(plan) }, author, maintenance);
    await addSeal(maintenance, sealed);
    await this.delete(sealed, out, maintenance);
    return { records: sealed.to - sealed.from + 1, range: sealed, endedBy: plan.endedBy };
  }

  /** Whether there was a file already: that of an interrupted run, or anything. */
  private async write(
    out: string,
    range: { readonly from: number; readonly to: number },
    checkpoint: OpenedCheckpoint,
    onProgress: (done: number, total: number) => void,
  ): Promise<boolean> {
    if (existsSync(out)) return true;
    try {
      await writeSealedFile(out, this.rows, range, checkpoint, onProgress);
      return false;
    } catch (error) {
      if (error instanceof AuditLogError) throw error;
      const code = errorCodeOf(error) ?? 'no code';
      // Somebody else was faster.
      if (code === 'EEXIST' && existsSync(out)) return true;
      throw new AuditLogError(`The records could not be written to ${out} (${code}): nothing was sealed.`);
    }
  }

  /** Read back, line by line, and compared with the tree. */
  private async checked(out: string): Promise<CheckedSealedFile> {
    const { keys } = this.parts.log;
    const leafHashes = (first: number, count: number) => this.rows.leafHashes(first, count);
    try {
      return await checkSealedFile(out, { keys, leafHashes });
    } catch (error) {
      const why =
        error instanceof SealedFileError
          ? error.message
          : `It cannot be read (${errorCodeOf(error) ?? 'no code'}).`;
      throw new AuditLogError(
        `The file ${out} does not hold the records that it should. ${why} Nothing was deleted: say another --out, or take the file away.`,
      );
    }
  }

  /** Recorded, in the log and signed, so that whoever makes up a seal later is found out. */
  private async announce(
    announcement: Announcement,
    author: AuditViewer,
    maintenance: Maintenance,
  ): Promise<void> {
    const known = (await this.seals.announcements()).find((one) => isSameRange(one, announcement));
    const id = known?.id ?? (await this.recordAnnouncement(announcement, author));
    const deadline = performance.now() + SIGNING_MS;
    while (!(await this.isSigned(id))) {
      const { refusal } = this.parts.log.status ?? {};
      if (refusal !== undefined)
        throw new AuditLogError(`The log is not signed any more, so nothing was deleted. ${refusal.message}`);
      if (performance.now() > deadline)
        throw new AuditLogError(
          'What is to be sealed was recorded, but no checkpoint covers that record yet: nothing was deleted. Run it again with the same --out; see sallyport audit verify.',
        );
      await sleep(POLL_MS);
    }
    if ((await maintenance.log.find(id)) === undefined)
      throw new AuditLogError('--database is not the database of this audit: nothing was deleted there.');
  }

  private async recordAnnouncement(announcement: Announcement, author: AuditViewer): Promise<string> {
    const event: AdministrationEvent = {
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server: this.parts.server,
      ...author,
      action: 'audit.sealed',
      target: announcement.file,
      details: announced(announcement),
    };
    await this.parts.trail.record(event);
    return event.id;
  }

  private async isSigned(id: string): Promise<boolean> {
    const index = (await this.rows.find(id))?.index;
    const newest = await newestOf(this.rows, this.parts.log.keys);
    return index !== undefined && newest !== undefined && newest.size > index;
  }

  private async finishInterrupted(
    { out }: SealRequest,
    maintenance: Maintenance,
  ): Promise<SealReport | undefined> {
    const seal = (await this.announcedSeals()).at(-1);
    if (seal === undefined || (await isDeleted(maintenance.seals, seal))) return undefined;
    await this.delete(seal, out, maintenance);
    return { records: seal.to - seal.from + 1, range: seal, endedBy: undefined };
  }

  /** The seals, each of which a record of the log announces. */
  private async announcedSeals(): Promise<Seal[]> {
    const seals = await this.rows.seals();
    const announcements = seals.length === 0 ? [] : await this.seals.announcements();
    const madeUp = seals.find((seal) => !announcements.some((one) => isSameRange(one, seal)));
    if (madeUp === undefined) return seals;
    throw new AuditLogError(
      `A seal of the records ${madeUp.from} to ${madeUp.to} is in the database, and no record of the log announces it: it was not made by this command. Run sallyport audit verify.`,
    );
  }

  /** The file is looked at once more: what it does not hold is not deleted. */
  private async delete(sealed: SealedRange, out: string, maintenance: Maintenance): Promise<void> {
    const file = await this.checked(out).catch((error: unknown) => {
      if (!(error instanceof AuditLogError)) throw error;
      throw new AuditLogError(`${interrupted(sealed)} ${error.message}`);
    });
    if (!isSameRange(sealedRange(file, fileName(out)), sealed))
      throw new AuditLogError(`${interrupted(sealed)} The file ${out} is another one.`);
    await deleteSealed(maintenance.seals, sealed);
  }
}

/** @throws AuditLogError when the newest one may be of a key that is not known here */
async function newestOf(rows: LogRows, keys: LogKeys): Promise<OpenedCheckpoint | undefined> {
  const { checkpoint, stranger } = await newestSigned(rows, keys);
  if (stranger !== undefined)
    throw new AuditLogError('The newest checkpoint was signed by no known key: run sallyport audit verify.');
  return checkpoint;
}

function interrupted({ from, to, file }: SealedRange): string {
  return `The records ${from} to ${to} are sealed and not all deleted yet: say --out with the path of ${safeText(file)}.`;
}

/** Seals follow on each other from the first leaf on. */
function firstUnsealed(seals: readonly Seal[]): number {
  return seals.reduce((next, { from, to }) => {
    if (from === next && to >= from) return to + 1;
    throw new AuditLogError(
      'The seals in the database do not follow on each other: run sallyport audit verify.',
    );
  }, 0);
}

function sealedRange({ header: { from, to }, sha256 }: CheckedSealedFile, file: string): SealedRange {
  return { from, to, sha256, file };
}

/** Harmless wherever it is shown, so that it is recorded and stored as it is. */
function fileName(path: string): string {
  const name = basename(path);
  if (/^\w[\w.,() -]{0,199}$/.test(name)) return name;
  throw new AuditLogError(
    'The name of the file goes into the record: write --out with a name of letters, digits, dots and dashes.',
  );
}

/** A file that was there before is used when it is what an interrupted run has left. */
function requireUsable(
  { header }: CheckedSealedFile,
  plan: { readonly from: number; readonly to: number },
  out: string,
): void {
  if (header.from === plan.from && header.to <= plan.to) return;
  throw new AuditLogError(
    `There is a file ${out} already, with the records ${header.from} to ${header.to}: say another --out.`,
  );
}

function timesOf({ first, last }: SealPlan): Pick<Announcement, 'first' | 'last'> {
  return { first: isoTime(first), last: isoTime(last) };
}

function isoTime(at: number | undefined): string {
  const time = new Date(at ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}

/** Two runs at once announce the same records; one of them seals. */
async function addSeal({ seals, log }: Maintenance, sealed: SealedRange): Promise<void> {
  try {
    await seals.addSeal(sealed, Date.now());
  } catch (error) {
    const isThere = faultOf(error) === 'item' && (await log.seals()).some(({ from }) => from === sealed.from);
    if (!isThere) throw error;
    throw new AuditLogError(
      'Another run has sealed these records at the same time: see sallyport audit verify.',
    );
  }
}
