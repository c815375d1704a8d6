import type { EntityManager } from 'typeorm';

import { AuditFollower } from './audit-follower.entity.js';

/** How long a process that was killed keeps others from shipping. */
export const LEASE_MS = 30_000;

/** Runs one statement, as `Store.run` does. */
export type RunStatement = <T>(work: (manager: EntityManager) => Promise<T>) => Promise<T>;

/**
 * Where each follower stands. Each method is one conditional statement or two, so that of two processes one wins. The
 * lease keeps them from shipping the same records twice; that nothing is lost does not depend on it, nor on their clocks.
 */
export class FollowerPositions {
  constructor(
    private readonly run: RunStatement,
    private readonly leaseMs = LEASE_MS,
  ) {}

  /** Takes or renews the lease, and gives the position; `undefined` while another process has it. */
  async hold(name: string, owner: string): Promise<number | undefined> {
    if (!(await this.take(name, owner))) {
      await this.add(name);
      if (!(await this.take(name, owner))) return undefined;
    }
    const row = await this.run((manager) => manager.findOneBy(AuditFollower, { name, owner }));
    return row?.position;
  }

  /** The sink has confirmed everything up to `to`. `false`: the lease was lost, and another process ships from where it finds it. */
  async advance(name: string, owner: string, from: number, to: number): Promise<boolean> {
    const change = { position: to, leaseUntil: Date.now() + this.leaseMs };
    const { affected } = await this.run((manager) =>
      manager.update(AuditFollower, { name, owner, position: from }, change),
    );
    return affected === 1;
  }

  /** Lets another process take over at once. */
  async release(name: string, owner: string): Promise<void> {
    await this.run((manager) =>
      manager.update(AuditFollower, { name, owner }, { owner: null, leaseUntil: 0 }),
    );
  }

  private async take(name: string, owner: string): Promise<boolean> {
    const now = Date.now();
    const { affected } = await this.run((manager) =>
      manager
        .createQueryBuilder()
        .update(AuditFollower)
        .set({ owner, leaseUntil: now + this.leaseMs })
        .where('name = :name AND (owner = :owner OR lease_until < :now)', { name, owner, now })
        .execute(),
    );
    return affected === 1;
  }

  /** A sink that is new begins with the first record. */
  private async add(name: string): Promise<void> {
    const row = { name, position: 0, owner: null, leaseUntil: 0 };
    await this.run((manager) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(AuditFollower)
        .values(row)
        .orIgnore()
        .updateEntity(false)
        .execute(),
    );
  }
}
