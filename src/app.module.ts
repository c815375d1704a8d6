import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { apiKeys, oidc, SallyportModule } from 'sallyport';
import { apiKeyPepper } from './config/api-key-pepper.js';
import { auditLog, isInMemory } from './config/audit-log.js';
import { auditSecret } from './config/audit-secret.js';
import { readConfiguration, type Configuration } from './config/configuration.js';
import { preparedDatabase } from './config/database-options.js';
import { DevelopmentProviderModule } from './development-provider/development-provider.module.js';
import { OfficeModule } from './office/office.module.js';
import {
  AUDIT_ROLES,
  AUDIT_SCOPE,
  KEYS_SCOPE,
  OFFICE_ROLES,
  OFFICE_SCOPE_HIERARCHY,
  OFFICE_SCOPES,
  REVOCATIONS_SCOPE,
} from './office/office.policy.js';
import { partners } from './partner/partner.identity.js';

/** Read once, when this file is loaded: a bad variable stops the process with a sentence, before anything is opened. */
export const config = readConfiguration(process.env);

/** The issuer of the tokens this server takes: your own provider, or the one for development inside this process. */
export const issuer = config.oidcIssuer ?? `${config.publicUrl}/idp`;

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: async () => ({ ...(await preparedDatabase(config)), autoLoadEntities: true }),
    }),
    SallyportModule.forRoot({
      server: { name: 'sallyport-office', version: '0.1.0' },
      resource: config.resource,
      identity: [
        oidc({ issuer }),
        apiKeys({ pepper: apiKeyPepper(config), manage: { role: 'agent:admin', scope: KEYS_SCOPE } }),
        ...(config.partnerSecret === undefined ? [] : [partners(config.partnerSecret, config.resource)]),
      ],
      audit: {
        secret: auditSecret(config),
        log: auditLog(config),
        // Whoever writes sqlite::memory: has chosen to keep nothing.
        dangerouslyVolatile: isInMemory(config),
        read: { role: 'agent:auditor', operatorRole: 'agent:operator', scope: AUDIT_SCOPE },
      },
      revocations: { manage: { role: 'agent:admin', scope: REVOCATIONS_SCOPE } },
      // With one role for everything, PostgreSQL cannot hold the server to its policies: refused in production.
      tenancy: { dangerouslyAllowOwnerRole: config.environment !== 'production' && !config.databaseOwner },
      roles: { ...OFFICE_ROLES, ...AUDIT_ROLES },
      scopes: OFFICE_SCOPE_HIERARCHY,
      // Whoever changes a tool changes this file as well (npm run sallyport -- policy lock), and a reviewer sees both.
      lock: {
        file: 'src/sallyport.lock.json',
        onDifference: config.environment === 'production' ? 'refuse' : 'warn',
      },
      ...(config.sessions ? { sessions: {} } : {}),
      signInScopes: OFFICE_SCOPES.filter((scope) => scope.endsWith(':read')),
      instructions:
        'The tools of a small office: documents, customers, mail, calendar, tasks and support tickets.',
    }),
    OfficeModule,
    ...developmentProvider(config),
  ],
})
export class AppModule {}

/** With a provider of your own there is none inside this process. */
function developmentProvider({ oidcIssuer, publicUrl, resource, dataDirectory }: Configuration) {
  if (oidcIssuer !== undefined) return [];
  const scopes = [...OFFICE_SCOPES, KEYS_SCOPE, REVOCATIONS_SCOPE, AUDIT_SCOPE];
  return [DevelopmentProviderModule.forRoot({ publicUrl, resource, dataDirectory, scopes })];
}
