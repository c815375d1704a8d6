import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './audited.application.js';

/** The audited application, served. Says where it listens. */
const application = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['warn', 'error'] });
application.enableShutdownHooks();
await application.listen(0, '127.0.0.1');
process.stdout.write(`listening on ${await application.getUrl()}/mcp\n`);
