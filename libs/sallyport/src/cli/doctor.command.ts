import type { INestApplicationContext } from '@nestjs/common';
import { IdentityConfigurationError } from '@sallyport/identity';
import { AuditSetupError } from '@sallyport/audit';
import { UnsafeWiringError } from '@sallyport/mcp';
import { CliError } from './cli-error.js';
import { logWarnings, warningsOf, type Finding } from './doctor.js';
import { withApplication } from './load-application.js';
import { renderTable } from './table.js';

export interface DoctorReport {
  readonly findings: readonly Finding[];
  /** Whether the server would start. */
  readonly boots: boolean;
}

/** Is this wiring safe? Boots the application without listening, and reports what stops it or is weaker than it could be. */
export async function examine(app: string | undefined): Promise<DoctorReport> {
  try {
    const look = async (context: INestApplicationContext) => [
      ...warningsOf(context),
      ...(await logWarnings(context)),
    ];
    const findings = await withApplication(app, look, true);
    return { boots: true, findings };
  } catch (error) {
    if (error instanceof CliError) throw error;
    return { boots: false, findings: problemsOf(error) };
  }
}

export function doctorText({ findings, boots }: DoctorReport): string {
  const verdict = boots ? 'The wiring is safe: the server boots.' : 'The server does not boot.';
  if (findings.length === 0) return verdict;
  const rows = findings.map(({ level, code, message }) => [level, code, message]);
  return `${renderTable(['level', 'code', 'what to do'], rows, [null, null, 80])}\n${verdict}`;
}

function problemsOf(error: unknown): Finding[] {
  if (error instanceof UnsafeWiringError)
    return error.problems.map((problem) => ({ level: 'problem', ...problem }));
  if (error instanceof AuditSetupError)
    return [{ level: 'problem', code: 'audit_setup', message: error.message }];
  if (error instanceof IdentityConfigurationError) {
    return [{ level: 'problem', code: 'identity_configuration', message: error.message }];
  }
  const message =
    error instanceof Error ? error.message : 'The application threw something that is no error.';
  return [{ level: 'problem', code: 'application', message: `The application does not start: ${message}` }];
}
