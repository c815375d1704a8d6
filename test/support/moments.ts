import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import {
  Injectable,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type Provider,
} from '@nestjs/common';
import { mergeMap } from 'rxjs';
import { CurrentCall, McpTool, type PolicyRule, type RunningCall } from 'sallyport';
import { z } from 'zod';

/** Points on the way of a call at which a test can do something. */
export const MOMENTS = ['before the attempt', 'between attempt and handler', 'after the handler'] as const;
export type Moment = (typeof MOMENTS)[number];

/** What a test does when a call reaches a moment; the call waits for it. */
@Injectable()
export class Moments {
  readonly #work = new Map<Moment, () => Promise<unknown>>();

  /** Each time. */
  at(moment: Moment, work: () => Promise<unknown>): void {
    this.#work.set(moment, work);
  }

  /** Only the next time. */
  atNext(moment: Moment, work: () => Promise<unknown>): void {
    this.at(moment, () => {
      this.#work.delete(moment);
      return work();
    });
  }

  async reach(moment: Moment): Promise<void> {
    await this.#work.get(moment)?.();
  }
}

/** What calls have really done, in a file that the audit knows nothing of: a line for each, written at once. */
export class Effects {
  constructor(readonly file: string) {}

  add(call: string): void {
    appendFileSync(this.file, `${call}\n`);
  }

  /** Ids of the calls. The last line counts only when it is whole. */
  read(): string[] {
    if (!existsSync(this.file)) return [];
    return readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
  }
}

/** Asked before the attempt is recorded. */
@Injectable()
class WhileDeciding implements PolicyRule {
  constructor(private readonly moments: Moments) {}

  async permits() {
    await this.moments.reach('before the attempt');
    return true;
  }
}

/** Asked once the attempt is recorded, before the method is called. */
@Injectable()
class BeforeHandler implements CanActivate {
  constructor(private readonly moments: Moments) {}

  async canActivate() {
    await this.moments.reach('between attempt and handler');
    return true;
  }
}

/** Holds back what the method returned, before the outcome is recorded. */
@Injectable()
class AfterHandler implements NestInterceptor {
  constructor(private readonly moments: Moments) {}

  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(
      mergeMap(async (returned: unknown) => {
        await this.moments.reach('after the handler');
        return returned;
      }),
    );
  }
}

/** The entries of a server that is watched: each leaves a trace of what it did. */
@Injectable()
export class WatchedTools {
  constructor(private readonly effects: Effects) {}

  @McpTool({
    name: 'act',
    description: 'Does something that can be seen.',
    // A rule is asked once of what takes arguments, and twice of what takes none.
    input: z.object({ text: z.string().default('') }),
    scopes: ['crm:write'],
    risk: 'write',
    when: WhileDeciding,
  })
  @UseGuards(BeforeHandler)
  @UseInterceptors(AfterHandler)
  act(@CurrentCall() { call }: RunningCall) {
    this.effects.add(call.id);
    return didCall(call.id);
  }

  @McpTool({
    name: 'wait',
    description: 'Waits until it is told to stop.',
    scopes: ['crm:write'],
    risk: 'write',
  })
  async wait(@CurrentCall() { call, signal }: RunningCall) {
    this.effects.add(call.id);
    if (!signal.aborted) await once(signal, 'abort');
    throw signal.reason;
  }
}

/** Everything that {@link WatchedTools} needs. */
export function watchedTools(effects: Effects): Provider[] {
  return [
    Moments,
    WhileDeciding,
    BeforeHandler,
    AfterHandler,
    WatchedTools,
    { provide: Effects, useValue: effects },
  ];
}

/** What the tool answers. */
export function didCall(call: string): string {
  return `did ${call}`;
}

/** The call whose result this text holds. */
export function callAnswered(text: string): string | undefined {
  return /\bdid ([0-9a-f-]{36})\b/.exec(text)?.[1];
}
