import { Injectable } from '@nestjs/common';
import { Args, McpResource, McpTool } from 'sallyport';
import { z } from 'zod';
import { DocsService } from './docs.service.js';

const search = z.object({
  query: z.string().min(1).max(200).describe('Words that the page must hold.'),
  limit: z.int().min(1).max(20).default(5),
});

const hits = z.object({
  results: z.array(z.object({ slug: z.string(), title: z.string(), excerpt: z.string() })),
});

const page = z.object({ slug: z.string().regex(/^[a-z0-9-]{1,64}$/) });

@Injectable()
export class DocsTools {
  constructor(private readonly docs: DocsService) {}

  @McpTool({
    name: 'docs_search',
    title: 'Search the docs',
    description: 'Search the public documentation. Read a result as the resource docs://{slug}.',
    input: search,
    output: hits,
    public: true,
    risk: 'read',
    auditFields: ['limit'],
  })
  async search(@Args() { query, limit }: z.output<typeof search>): Promise<z.output<typeof hits>> {
    return { results: await this.docs.search(query, limit) };
  }

  @McpResource({
    name: 'docs_page',
    title: 'Documentation page',
    description: 'One page of the public documentation.',
    uri: 'docs://{slug}',
    mimeType: 'text/markdown',
    input: page,
    public: true,
    risk: 'read',
    auditFields: ['slug'],
  })
  read(@Args() { slug }: z.output<typeof page>): Promise<string> {
    return this.docs.read(slug);
  }
}
