import 'reflect-metadata';
import {
  AuditTrail,
  Authenticator,
  Authorizer,
  Catalog,
  Gate,
  MCP_OPTIONS,
  readOperation,
  Revocations,
  type Decision,
  type McpOptions,
} from '@sallyport/mcp';
import type { INestApplicationContext } from '@nestjs/common';
import { timeInTurns, type Timed } from '../timing.js';
import { contextOf, principals, startApplication, turnOf } from './bench-application.js';
import { reportSection, sectionSettings } from './report-section.js';
import { applicationSettings } from './settings.js';

/** Without a policy: everybody sees everything. */
class Indifferent extends Authorizer {
  authorize(): Decision {
    return { effect: 'permit', checks: [], policyVersion: '' };
  }

  isVisible(): boolean {
    return true;
  }
}

class Unrecorded extends AuditTrail {
  record(): Promise<void> {
    return Promise.resolve();
  }
}

function rowsOf(context: INestApplicationContext): Timed[] {
  const catalog = context.get(Catalog, { strict: false });
  const policy = context.get(Authorizer, { strict: false });
  const trail = context.get(AuditTrail, { strict: false });
  const without = new Indifferent();
  const nothing = new Unrecorded();
  const row = (id: string, label: string, gate: Gate, isBaseline = false): Timed => ({
    id,
    label,
    isBaseline,
    batch: listing(catalog, gate),
  });
  return [
    row('seen', 'all shown, nothing recorded', gateOf(context, without, nothing), true),
    row('decided', 'decided, nothing recorded', gateOf(context, policy, nothing)),
    row('seen-recorded', 'all shown, recorded', gateOf(context, without, trail), true),
    row('decided-recorded', 'decided, recorded', gateOf(context, policy, trail)),
  ];
}

/** The gate of the application, with other parts. */
function gateOf(context: INestApplicationContext, authorizer: Authorizer, trail: AuditTrail): Gate {
  const catalog = context.get(Catalog, { strict: false });
  const authenticator = context.get(Authenticator, { strict: false });
  const revocations = context.get(Revocations, { strict: false });
  const options = context.get<McpOptions>(MCP_OPTIONS, { strict: false });
  return new Gate(catalog, authenticator, authorizer, trail, revocations, options);
}

/** At the same time, as under load: what is recorded then shares a commit. */
function listing(catalog: Catalog, gate: Gate): Timed['batch'] {
  const expected = catalog.entries.length;
  const listOnce = async (turn: number) => {
    const arrived = contextOf(turnOf(principals, turn));
    const admission = await gate.admit(readOperation(catalog, LIST, arrived));
    if (admission.kind !== 'listed' || admission.entries.length !== expected)
      throw new Error('A list did not show what it should.');
  };
  return (times) => Promise.all(Array.from({ length: times }, (_, turn) => listOnce(turn)));
}

const LIST = { method: 'tools/list', params: {} } as const;

// What it costs to decide for each entry of a list whether its caller may see it.
await reportSection(async () => {
  const { application, timing } = applicationSettings.parse(sectionSettings());
  const context = await startApplication(application);
  const results = await timeInTurns(rowsOf(context), timing);
  await context.close();
  return { results };
});
