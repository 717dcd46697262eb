import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

export { toString as textOf } from 'mdast-util-to-string';

/** The tree of a Markdown text; each node has its lines and offsets. */
export type Markdown = ReturnType<typeof fromMarkdown>;
export type MarkdownNode = Markdown['children'][number];

/**
 * Parses Markdown as GitHub reads it. It takes about a second of CPU for 300 kB, and longer for what is deeply
 * nested: give it the part of a text that matters.
 */
export function parseMarkdown(text: string): Markdown {
  return fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
}
