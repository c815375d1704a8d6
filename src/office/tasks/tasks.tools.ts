import { Injectable } from '@nestjs/common';
import { Args, Caller, McpTool, type Principal } from 'sallyport';
import { z } from 'zod';
import type { Task } from './task.entity.js';
import { TasksService } from './tasks.service.js';

const draft = z.object({
  title: z.string().min(1).max(200),
  due: z.iso.date().optional().describe('A date, YYYY-MM-DD.'),
});

const task = z.object({ taskId: z.uuid(), title: z.string(), due: z.string().nullable(), done: z.boolean() });

const tasks = z.object({ tasks: z.array(task) });

@Injectable()
export class TasksTools {
  constructor(private readonly tasks: TasksService) {}

  @McpTool({
    name: 'tasks_list',
    title: 'List tasks',
    description: "List the caller's own tasks, oldest first.",
    output: tasks,
    scopes: ['tasks:write'],
    role: 'agent:read-only',
    risk: 'read',
  })
  async list(@Caller() caller: Principal): Promise<z.output<typeof tasks>> {
    const found = await this.tasks.list(caller.subject);
    return { tasks: found.map(shown) };
  }

  @McpTool({
    name: 'tasks_create',
    title: 'Create a task',
    description: 'Create a task for the caller.',
    input: draft,
    output: task,
    scopes: ['tasks:write'],
    role: 'agent:contributor',
    risk: 'write',
    auditFields: ['title', 'due'],
  })
  async create(
    @Args() asked: z.output<typeof draft>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof task>> {
    return shown(await this.tasks.create(caller.subject, asked));
  }
}

function shown({ id, title, due, done }: Task): z.output<typeof task> {
  return { taskId: id, title, due, done };
}
