import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { builtFile } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import type { Question } from './conversation.js';

/** A call that was made, as whom. */
export interface Asked extends Question {
  /** `undefined`: without a credential. */
  readonly token: string | undefined;
}

const check = z.object({ name: z.string(), passed: z.boolean(), detail: z.string() });

const explained = z.object({
  reason: z.string().nullable(),
  checks: z.array(check).nullable(),
  policyVersion: z.string().nullable(),
});

export type WrittenCheck = z.output<typeof check>;

/** Why a call is refused. A credential that is not good has a reason, and nothing is checked. */
export type Explained = z.output<typeof explained>;

/**
 * A process beside the server, on its database, that explains calls as `sallyport policy explain` does. One for the whole
 * story: each command would open the application anew.
 */
export class Explainer {
  private readonly answers: AsyncIterator<string>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly questions: Writable,
    output: Readable,
  ) {
    this.answers = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  static start({ environment }: ServerProcess): Explainer {
    const child = spawn(process.execPath, [builtFile('test/demo/explain.main.js')], {
      env: { ...environment },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    return new Explainer(child, child.stdin, child.stdout);
  }

  async explain(asked: Asked): Promise<Explained> {
    this.questions.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await this.answers.next();
    if (done === true) throw new Error('The process that explains has ended.');
    return explained.parse(JSON.parse(value));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.questions.end();
    await ended;
  }
}
