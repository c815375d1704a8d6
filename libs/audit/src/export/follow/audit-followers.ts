import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';

import { AuditSetupError } from '../../audit.errors.js';
import type { AuditReader } from '../../audit.reader.js';
import type { AuditStore } from '../../audit.store.js';
import { RecordWalk } from '../../reading/record-walk.js';
import { SettledRecords } from '../../reading/settled-records.js';
import { isExportFormat } from '../export-format.js';
import type { AuditSink } from './audit-sink.js';
import { FollowerPositions } from './follower-positions.js';
import { Follower, type FollowerStatus } from './follower.js';

/** What PostgreSQL gets, beyond its own limit, to end a statement. */
const GRACE_MS = 1000;

export interface FollowersOptions {
  readonly sinks: readonly AuditSink[];
  /** Within which a statement of the audit ends. */
  readonly timeoutMs: number;
}

/** One follower for each sink. They begin when the server serves, and end when it shuts down. */
export class AuditFollowers implements BeforeApplicationShutdown {
  private readonly followers: readonly Follower[];

  /** @throws AuditSetupError when the sinks are none, or share a name */
  constructor(store: AuditStore, reader: AuditReader, { sinks, timeoutMs }: FollowersOptions) {
    checkSinks(sinks);
    const logger = new Logger('AuditFollower');
    const onProblem = (sentence: string) => logger.warn(sentence);
    const walk = new RecordWalk(store, reader);
    const positions = new FollowerPositions((work) => store.store.run(work));
    this.followers = sinks.map((sink) => {
      const settled = new SettledRecords(store, walk, timeoutMs + GRACE_MS);
      return new Follower({ sink, walk, settled, positions, onProblem });
    });
  }

  /** For whoever serves: an application that is only looked at ships nothing. */
  start(): void {
    for (const follower of this.followers) follower.start();
  }

  get status(): readonly FollowerStatus[] {
    return this.followers.map(({ status }) => status);
  }

  /** Before the store closes. What was not confirmed is shipped by the next process. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.stop()));
  }
}

/** TypeScript says the same; JavaScript gets past it. */
function checkSinks(sinks: readonly AuditSink[]): void {
  if (!Array.isArray(sinks) || !sinks.every(isSink))
    throw new AuditSetupError(
      "audit.followers must be a list of sinks: write followers: [fileSink('data/audit.jsonl')].",
    );
  const names = sinks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new AuditSetupError(`audit.followers has two sinks named ${twice}: give one of them another name.`);
}

function isSink(value: unknown): value is AuditSink {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    value.name !== '' &&
    'deliver' in value &&
    typeof value.deliver === 'function' &&
    'format' in value &&
    isExportFormat(value.format)
  );
}
