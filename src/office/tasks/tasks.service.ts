import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Owner } from '../tenancy/owner.js';
import { TenantRows } from '../tenancy/tenant-rows.js';
import { Task } from './task.entity.js';

export interface NewTask {
  readonly title: string;
  /** `YYYY-MM-DD`. */
  readonly due?: string | undefined;
}

const MOST_TASKS = 100;

/** One person's own tasks. */
@Injectable()
export class TasksService {
  constructor(private readonly rows: TenantRows) {}

  /** Oldest first. */
  list({ tenant, subject: owner }: Owner): Promise<Task[]> {
    return this.rows.run(tenant, (manager) =>
      manager.find(Task, {
        where: { tenant, owner },
        order: { createdAt: 'ASC', id: 'ASC' },
        take: MOST_TASKS,
      }),
    );
  }

  async create({ tenant, subject: owner }: Owner, { title, due }: NewTask): Promise<Task> {
    const createdAt = new Date().toISOString();
    const task = { id: randomUUID(), tenant, owner, title, due: due ?? null, done: false, createdAt };
    await this.rows.run(tenant, (manager) => manager.insert(Task, task));
    return task;
  }
}
