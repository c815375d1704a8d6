import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { DocPage } from './doc-page.entity.js';
import { excerpt } from './excerpt.js';

export interface DocHit {
  readonly slug: string;
  readonly title: string;
  readonly excerpt: string;
}

/** Anyone may search, so a query may cost only so much: words beyond these are ignored. */
const MOST_WORDS = 8;

@Injectable()
export class DocsService {
  constructor(@InjectRepository(DocPage) private readonly pages: Repository<DocPage>) {}

  /** Pages that hold every word of the query, by title. */
  async search(query: string, limit: number): Promise<DocHit[]> {
    const words = wordsOf(query);
    if (words.length === 0) return [];
    const found = this.pages.createQueryBuilder('page').orderBy('page.title').limit(limit);
    words.forEach((word, index) => {
      const name = `word${index}`;
      const holds = `(LOWER(page.title) LIKE :${name} ESCAPE '!' OR LOWER(page.body) LIKE :${name} ESCAPE '!')`;
      found.andWhere(holds, { [name]: `%${literal(word)}%` });
    });
    const pages = await found.getMany();
    return pages.map(({ slug, title, body }) => ({ slug, title, excerpt: excerpt(body, words) }));
  }

  /** The Markdown of one page. */
  async read(slug: string): Promise<string> {
    const page = await this.pages.findOneBy({ slug });
    if (page === null) throw new NotFoundException('No such page.');
    return `# ${page.title}\n\n${page.body}\n`;
  }
}

function wordsOf(query: string): string[] {
  return [...new Set(query.toLowerCase().split(/\s+/))].filter((word) => word !== '').slice(0, MOST_WORDS);
}

/** A percent sign in a query is a percent sign, not a wildcard. */
function literal(word: string): string {
  return word.replace(/[!%_]/g, '!$&');
}
