import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Task } from './task.entity.js';

export interface NewTask {
  readonly title: string;
  /** `YYYY-MM-DD`. */
  readonly due?: string | undefined;
}

const MOST_TASKS = 100;

/** One person's own tasks. `owner` is the subject of the caller. */
@Injectable()
export class TasksService {
  constructor(@InjectRepository(Task) private readonly tasks: Repository<Task>) {}

  /** Oldest first. */
  list(owner: string): Promise<Task[]> {
    return this.tasks.find({
      where: { owner },
      order: { createdAt: 'ASC', id: 'ASC' },
      take: MOST_TASKS,
    });
  }

  async create(owner: string, { title, due }: NewTask): Promise<Task> {
    const createdAt = new Date().toISOString();
    const task = this.tasks.create({
      id: randomUUID(),
      owner,
      title,
      due: due ?? null,
      done: false,
      createdAt,
    });
    await this.tasks.insert(task);
    return task;
  }
}
