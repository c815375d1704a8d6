import type { OnModuleInit } from '@nestjs/common';
import { UnsafeWiringError, type Problem } from '@sallyport/mcp';

/** Stops the boot when endpoints would not be where the options say. */
export class PathCheck implements OnModuleInit {
  constructor(private readonly problems: () => readonly Problem[]) {}

  onModuleInit(): void {
    const problems = this.problems();
    if (problems.length > 0) throw new UnsafeWiringError(problems);
  }
}
