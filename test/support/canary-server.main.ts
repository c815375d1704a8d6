import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Args, McpPrompt, McpResource, McpTool, oidc, SallyportModule } from 'sallyport';
import { z } from 'zod';
import { RESOURCE } from './messages.js';

/** A server of its own process, for tests that look at everything it leaves behind: its files, its output, its answers. */

/** Takes any argument, and gives the secret back that the process was started with. */
@Injectable()
class Tools {
  @McpTool({
    name: 'echo',
    description: 'Takes anything.',
    input: z.looseObject({ id: z.string().default('none') }),
    scopes: ['crm:read'],
    risk: 'read',
    auditFields: ['id'],
  })
  echo() {
    return `the result: ${process.env['CANARY_IN_RESULT']}`;
  }

  @McpTool({
    name: 'strict',
    description: 'Takes a number.',
    input: z.strictObject({ count: z.number() }),
    scopes: ['crm:read'],
    risk: 'read',
  })
  strict() {
    return 'never';
  }

  @McpTool({ name: 'fail', description: 'Fails.', scopes: ['crm:read'], risk: 'read' })
  fail() {
    return { canary: process.env['CANARY_IN_RESULT'], isError: false };
  }

  @McpTool({ name: 'admin', description: 'Refuses.', role: 'agent:admin', risk: 'read' })
  admin() {
    return 'never';
  }

  @McpResource({ name: 'page', uri: 'crm://pages/{id}', description: 'A page.', scopes: ['crm:read'] })
  page(@Args('id') id: string) {
    return `${id}: ${process.env['CANARY_IN_RESULT']}`;
  }

  @McpPrompt({
    name: 'ask',
    description: 'Asks.',
    input: z.object({ topic: z.string() }),
    scopes: ['crm:read'],
  })
  ask(@Args('topic') topic: string) {
    return topic;
  }
}

const { ISSUER = '', DATABASE = '', AUDIT_SECRET = '' } = process.env;

@Module({
  imports: [
    TypeOrmModule.forRoot(
      DATABASE.startsWith('postgres')
        ? { type: 'postgres', url: DATABASE }
        : { type: 'better-sqlite3', database: DATABASE },
    ),
    SallyportModule.forRoot({
      server: { name: 'canaries', version: '1.0.0' },
      resource: RESOURCE,
      identity: [oidc({ issuer: ISSUER })],
      roles: { 'agent:admin': [] },
      audit: { secret: AUDIT_SECRET },
    }),
  ],
  providers: [Tools],
})
class AppModule {}

const application = await NestFactory.create(AppModule, new FastifyAdapter());
application.enableShutdownHooks();
await application.listen(0, '127.0.0.1');
console.log(`listening on ${await application.getUrl()}/mcp`);
