import { AuditLogError, AuditSetupError, AuditUnavailableError, NothingToEraseError } from '@sallyport/audit';
import { ApiKeyRefused, IdentityConfigurationError } from '@sallyport/identity';
import { UnsafeWiringError } from '@sallyport/mcp';
import { PolicyLockError, RevocationInputError } from '@sallyport/policy';
import { StoreSetupError } from '@sallyport/store';
import { PrincipalFactsError } from '../made-up-principal.js';
import { CliError } from './cli-error.js';

const FOR_PEOPLE = [
  CliError,
  UnsafeWiringError,
  AuditSetupError,
  AuditLogError,
  AuditUnavailableError,
  IdentityConfigurationError,
  PolicyLockError,
  PrincipalFactsError,
  RevocationInputError,
  StoreSetupError,
  ApiKeyRefused,
  NothingToEraseError,
];

/** Whether the message is a sentence for whoever runs the command, and its stack would tell them nothing. */
export function isForPeople(error: unknown): boolean {
  return FOR_PEOPLE.some((kind) => error instanceof kind);
}
