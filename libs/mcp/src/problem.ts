/** One thing that must be put right before the application may serve. */
export interface Problem {
  /** Stable, for tests and tools: `entry_without_policy`, `duplicate_name`, … */
  readonly code: string;
  /** What is wrong and what to write instead. Holds no secret. */
  readonly message: string;
}

/** The application does not boot: its wiring is not safe. Lists every problem, not the first alone. */
export class UnsafeWiringError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(
      `Sallyport refuses to start, ${problems.length === 1 ? 'one problem' : `${problems.length} problems`} to solve:\n` +
        problems.map(({ code, message }) => `  - ${message} (${code})`).join('\n'),
    );
    this.name = 'UnsafeWiringError';
  }
}
